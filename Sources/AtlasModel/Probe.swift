/// A question about a server that changes nothing: it has no fence, is journaled nowhere and is
/// asked again when its answer gets lost.
package struct Probe: Hashable, Sendable {
  /// Drawn by the daemon, for the life of its process.
  package var number: UInt64
  /// What would be installed.
  package var updateSet: UpdateSet

  package init(number: UInt64, updateSet: UpdateSet) {
    self.number = number
    self.updateSet = updateSet
  }
}

/// The answer to a ``Probe``.
package struct ProbeAnswer: Hashable, Sendable {
  package var number: UInt64
  package var facts: ServerFacts

  package init(number: UInt64, facts: ServerFacts) {
    self.number = number
    self.facts = facts
  }
}

/// A command that an agent would refuse.
package struct ExpectedRefusal: Hashable, Sendable {
  package var kind: CommandKind
  /// It would take it at some hours of the day: what counts is when the command comes.
  package var atSomeHours: Bool
  /// For people.
  package var reason: String

  package init(kind: CommandKind, atSomeHours: Bool = false, reason: String) {
    self.kind = kind
    self.atSomeHours = atSomeHours
    self.reason = reason
  }
}

/// What an agent finds when it looks at its server. What it cannot know is nil or empty.
package struct ServerFacts: Hashable, Sendable {
  /// Bytes that are free where updates are installed, on the volume that has the least to spare.
  package var freeDisk: Int64?
  /// Bytes that installing the set takes there.
  package var neededDisk: Int64?
  /// A boot is pending already.
  package var rebootPending: Bool
  /// The update source that it would use, such as a host name.
  package var source: String
  /// Why the source cannot be used; empty when it answers.
  package var sourceProblem: String
  /// Other programs that install updates here of their own accord, such as `unattended-upgrades`.
  package var otherUpdaters: [String]
  /// Something is being installed at this moment.
  package var isServicing: Bool
  /// Updates of the set that it lacks.
  package var missingUpdates: Int?
  /// Commands that the agent would refuse.
  package var refusals: [ExpectedRefusal]
  /// What the look itself could not find out, a line each.
  package var notes: [String]

  package init(
    freeDisk: Int64? = nil, neededDisk: Int64? = nil, rebootPending: Bool = false,
    source: String = "", sourceProblem: String = "", otherUpdaters: [String] = [],
    isServicing: Bool = false, missingUpdates: Int? = nil, refusals: [ExpectedRefusal] = [],
    notes: [String] = []
  ) {
    self.freeDisk = freeDisk
    self.neededDisk = neededDisk
    self.rebootPending = rebootPending
    self.source = source
    self.sourceProblem = sourceProblem
    self.otherUpdaters = otherUpdaters
    self.isServicing = isServicing
    self.missingUpdates = missingUpdates
    self.refusals = refusals
    self.notes = notes
  }
}

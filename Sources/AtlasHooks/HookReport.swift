import AtlasModel

/// What one call of a hook function did and cost; enough for the audit.
package struct HookReport: Hashable, Sendable {
  /// ``HookInvocation/key``.
  package var key: String
  package var outcome: HookOutcome
  /// In the order in which it was recorded.
  package var evidence: [HookEvidence]
  package var usage: HookUsage
  /// Campaign time.
  package var startedAt: Instant
  /// Campaign time.
  package var endedAt: Instant
  package var revision: HookRevisionID
  /// The file whose function ran, such as `clients/LAA.lua`; nil when none was found.
  package var file: String?

  package init(
    key: String, outcome: HookOutcome, evidence: [HookEvidence] = [],
    usage: HookUsage = HookUsage(), startedAt: Instant, endedAt: Instant,
    revision: HookRevisionID, file: String? = nil
  ) {
    self.key = key
    self.outcome = outcome
    self.evidence = evidence
    self.usage = usage
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.revision = revision
    self.file = file
  }
}

/// What a hook run used.
package struct HookUsage: Hashable, Sendable {
  /// VM instructions and steps of library functions.
  package var instructions: UInt64
  package var cpu: Duration
  /// The longest time it held a thread without giving way.
  package var longestSlice: Duration
  package var peakMemoryBytes: Int
  /// Host calls by name, sorted by name.
  package var calls: [HookCallUsage]

  package init(
    instructions: UInt64 = 0, cpu: Duration = .zero, longestSlice: Duration = .zero,
    peakMemoryBytes: Int = 0, calls: [HookCallUsage] = []
  ) {
    self.instructions = instructions
    self.cpu = cpu
    self.longestSlice = longestSlice
    self.peakMemoryBytes = peakMemoryBytes
    self.calls = calls
  }
}

/// All calls of one host function in one run.
package struct HookCallUsage: Hashable, Sendable {
  package var call: HookCall
  package var count: Int
  /// Calls that returned an error or were misuse.
  package var errors: Int
  /// Writes that a dry run only logged.
  package var withheld: Int
  /// Real time spent waiting for them.
  package var duration: Duration

  package init(
    call: HookCall, count: Int = 0, errors: Int = 0, withheld: Int = 0, duration: Duration = .zero
  ) {
    self.call = call
    self.count = count
    self.errors = errors
    self.withheld = withheld
    self.duration = duration
  }
}

import AtlasModel

/// What keeps parts of a campaign from going on, and what people said about it. A row of its own
/// within the campaign's.
package struct CampaignSafety: Hashable, Sendable {
  /// The campaign's breaker looks at nothing up to here: a person has resumed it.
  package internal(set) var sampleSince: Instant?
  /// The same for lanes; sorted by client.
  package internal(set) var laneResumes: [LaneResume] = []
  /// Ways to fail that were seen; at most ``Limits/signatures``.
  package internal(set) var signatures: [Signature] = []
  /// At most ``Limits/heldSignatures``.
  package internal(set) var held: [HeldSignature] = []
  /// At most ``Limits/heldSignatures``.
  package internal(set) var waivers: [Waiver] = []
  /// At most one for the campaign and one for each lane.
  package internal(set) var sourceHolds: [SourceHold] = []
  /// Refusals for a source since one last worked, oldest first; at most ``Limits/sourceFaults``.
  package internal(set) var sourceFaults: [SourceFault] = []

  package init() {}

  package init(
    sampleSince: Instant?, laneResumes: [LaneResume], signatures: [Signature],
    held: [HeldSignature], waivers: [Waiver], sourceHolds: [SourceHold],
    sourceFaults: [SourceFault]
  ) {
    self.sampleSince = sampleSince
    self.laneResumes = laneResumes
    self.signatures = signatures
    self.held = held
    self.waivers = waivers
    self.sourceHolds = sourceHolds
    self.sourceFaults = sourceFaults
  }
}

/// A lane that waits for a person after failures.
package struct HeldLane: Hashable, Sendable {
  package var client: ClientID
  package var latch: Latch

  package init(client: ClientID, latch: Latch) {
    self.client = client
    self.latch = latch
  }
}

/// When a person last let a lane go on that a failure held.
package struct LaneResume: Hashable, Sendable {
  package var client: ClientID
  package var at: Instant

  package init(client: ClientID, at: Instant) {
    self.client = client
    self.at = at
  }
}

/// Servers with a role and a system.
package struct ServerKind: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Nil: servers without any role.
  package var role: Role?
  /// May be empty, when the fleet does not say.
  package var system: String

  package init(role: Role?, system: String) {
    self.role = role
    self.system = system
  }

  package static func < (left: ServerKind, right: ServerKind) -> Bool {
    let (first, second) = (left.role?.text ?? "", right.role?.text ?? "")
    return first != second ? first < second : left.system < right.system
  }

  /// `SQL on windows-2022`.
  package var description: String {
    "\(role?.text ?? "no role") on \(system.isEmpty ? "an unknown system" : system)"
  }

  /// The kinds that a server is of: one for each of its roles.
  static func kinds(of config: ServerConfig) -> [ServerKind] {
    guard !config.roles.isEmpty else { return [ServerKind(role: nil, system: config.system)] }
    return config.roles.map { ServerKind(role: $0, system: config.system) }
  }
}

/// How servers of one kind fail, and at whom.
package struct Signature: Hashable, Sendable {
  package var kind: ServerKind
  package var phase: Phase
  /// The update that failed, or the error without what differs from server to server.
  package var cause: String
  /// In the order in which they failed; fewer than the policy's number, or just as many.
  package var clients: [ClientID]
  package var lastAt: Instant

  package init(
    kind: ServerKind, phase: Phase, cause: String, clients: [ClientID], lastAt: Instant
  ) {
    self.kind = kind
    self.phase = phase
    self.cause = cause
    self.clients = clients
    self.lastAt = lastAt
  }
}

/// A kind of servers that starts nowhere in the campaign: it fails in the same way at too many.
package struct HeldSignature: Hashable, Sendable {
  package var kind: ServerKind
  package var phase: Phase
  package var cause: String
  /// To be excluded, if it is to blame; nil when no update was named.
  package var update: UpdateID?
  package var latch: Latch

  package init(
    kind: ServerKind, phase: Phase, cause: String, update: UpdateID?, latch: Latch
  ) {
    self.kind = kind
    self.phase = phase
    self.cause = cause
    self.update = update
    self.latch = latch
  }
}

/// A person says that servers may start without a representative.
package struct Waiver: Hashable, Sendable {
  /// Nil: of any role, and those without one.
  package var role: Role?
  /// Nil: of any system.
  package var system: String?
  package var latch: Latch

  package init(role: Role?, system: String?, latch: Latch) {
    self.role = role
    self.system = system
    self.latch = latch
  }

  func covers(_ kind: ServerKind) -> Bool {
    (role == nil || role == kind.role) && (system == nil || system == kind.system)
  }
}

/// An update source does not answer: nothing starts but one server now and then, to try it.
package struct SourceHold: Hashable, Sendable {
  /// Nil for the whole campaign.
  package var client: ClientID?
  package var latch: Latch
  /// When the next server may try.
  package var nextTry: Instant
  /// How often it was tried in vain.
  package var tries: Int
  /// The run that tries; nil when none does.
  package var probe: Int32?

  package init(client: ClientID?, latch: Latch, nextTry: Instant, tries: Int, probe: Int32?) {
    self.client = client
    self.latch = latch
    self.nextTry = nextTry
    self.tries = tries
    self.probe = probe
  }
}

/// A run that was refused because its update source did not answer.
package struct SourceFault: Hashable, Sendable {
  package var at: Instant
  package var client: ClientID
  package var run: Int32
  /// The source of another client has answered since: it says something about its own client only.
  package var isAlone: Bool

  package init(at: Instant, client: ClientID, run: Int32, isAlone: Bool = false) {
    self.at = at
    self.client = client
    self.run = run
    self.isAlone = isAlone
  }
}

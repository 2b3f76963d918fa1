import AtlasModel

/// What can go wrong at a moment.
package enum FaultKind: String, CaseIterable, Hashable, Sendable {
  // The network
  /// A connection breaks; both ends notice, at different times.
  case linkBreaks = "link_breaks"
  /// What one end says does not arrive any more, until keepalive ends the connection.
  case oneWayCut = "one_way_cut"
  /// All connections of a client break and stay broken for a while.
  case clientDark = "client_dark"
  /// The provider's line is down: no agent reaches the daemon.
  case providerDown = "provider_down"

  // Servers and agents
  case agentCrashes = "agent_crashes"
  /// A virtual machine stands still for longer than the lock timeout.
  case serverPauses = "server_pauses"
  case clockJumps = "clock_jumps"
  /// The agent connects again while the daemon still believes in its old session.
  case comesBackTwice = "comes_back_twice"
  /// A copy of the virtual machine runs beside it for a while.
  case isCloned = "is_cloned"
  /// Somebody boots a server by hand.
  case bootedByHand = "booted_by_hand"

  // The daemon and its store
  case daemonDies = "daemon_dies"
  /// It dies between two of the things that it does after a commit, or around the commit.
  case daemonDiesAtBoundary = "daemon_dies_at_boundary"
  case secondDaemon = "second_daemon"
  /// It comes back with the database of some hours ago.
  case databaseRestored = "database_restored"
  case storeFails = "store_fails"
  case storeLosesUnknown = "store_loses_unknown"
  case storeKeepsUnknown = "store_keeps_unknown"
  case storeIsSlow = "store_is_slow"

  // The rest of the world, each drawn from a source of its own
  /// The update source of a client, or of all, does not answer for a while.
  case sourceVanishes = "source_vanishes"
  /// The hook of some runs puts them off whenever it is asked.
  case hooksDeferForEver = "hooks_defer_for_ever"
  /// People stop, cancel, lower and close right when it matters.
  case peopleMeddle = "people_meddle"
  /// Machines whose clocks jump get no contact for a while, and some stand still, with their
  /// clocks, right before an order reaches them.
  case clockStaysWrong = "clock_stays_wrong"
  /// The disk is full for a while: the daemon dies, comes back, cannot commit, and dies again.
  case diskStaysFull = "disk_stays_full"
  /// It dies again before it has done much, up to three times in a row.
  case daemonDiesRecovering = "daemon_dies_recovering"

  /// Whether it comes at moments of ``FaultMenu/moments``.
  var isOfMoments: Bool { weight > 0 }

  /// Whether it begins at a moment of its own, and is over after a while.
  var isSpell: Bool { self == .sourceVanishes || self == .diskStaysFull }

  /// How often it is drawn for a moment, compared with the others; 0 for what has a source of its
  /// own.
  var weight: Int {
    switch self {
    case .linkBreaks, .oneWayCut, .agentCrashes: 10
    case .comesBackTwice, .serverPauses, .bootedByHand, .daemonDiesAtBoundary: 6
    case .daemonDies, .clockJumps: 4
    case .clientDark, .storeFails, .storeLosesUnknown, .storeKeepsUnknown, .storeIsSlow: 2
    case .providerDown, .isCloned, .secondDaemon, .databaseRestored: 1
    case .sourceVanishes, .hooksDeferForEver, .peopleMeddle, .clockStaysWrong, .diskStaysFull,
      .daemonDiesRecovering:
      0
    }
  }

  /// What it is drawn from, when it is not drawn for a moment.
  func source(of seed: UInt64) -> Randomness? {
    switch self {
    case .sourceVanishes: Randomness(seed: seed, for: "silent sources")
    case .hooksDeferForEver: Randomness(seed: seed, for: "deferring hooks")
    case .peopleMeddle: Randomness(seed: seed, for: "meddling people")
    case .clockStaysWrong: Randomness(seed: seed, for: "wrong clocks")
    case .diskStaysFull: Randomness(seed: seed, for: "full disks")
    case .daemonDiesRecovering: Randomness(seed: seed, for: "short lives")
    case _: nil
    }
  }
}

/// Something that goes wrong, and is well again after a while.
package struct Spell: Hashable, Sendable {
  package var kind: FaultKind
  /// From the start of the plan.
  package var at: Duration
  package var lasts: Duration
  /// Nil for all clients, or where it is not about clients.
  package var client: ClientName?
}

/// What is wrong with a server for the whole weekend.
package enum Ailment: String, CaseIterable, Hashable, Sendable {
  case installFailsOnce = "install_fails_once"
  case installFails = "install_fails"
  case optionalUpdateFails = "optional_update_fails"
  case installHangs = "install_hangs"
  case sourceUnreachable = "source_unreachable"
  case diskFull = "disk_full"
  case noUpdates = "no_updates"
  case pendingReboot = "pending_reboot"
  case threePasses = "three_passes"
  case bootHangs = "boot_hangs"
  case bootsWhileInstalling = "boots_while_installing"
  case updateReverted = "update_reverted"
  case unhealthyAfterUpdate = "unhealthy_after_update"
  /// It is not well after its update, and its agent says that it is.
  case liesAboutHealth = "lies_about_health"
  case rollbackRefused = "rollback_refused"
  case rollbackFails = "rollback_fails"
  case snapshotFails = "snapshot_fails"
  /// Its owner lets nobody change it at night, and the provider does not know.
  case forbidsNight = "forbids_night"
  /// Its agent is not there for a long time.
  case offline = "offline"
  /// The journal of its agent lies on the disk that a snapshot puts back.
  case journalIsRevertedToo = "journal_is_reverted_too"
}

/// Which faults a seed has, and how often.
package struct FaultMenu: Hashable, Sendable {
  /// Of a thousand messages: so many are late, twice, out of order, or never arrive.
  package var late = 0
  package var doubled = 0
  package var reordered = 0
  package var lost = 0
  /// Of a thousand orders: so many have their agent crash, or its connection break, right when it
  /// has them.
  package var fragile = 0
  /// Moments at which something goes wrong, from when the campaigns start to when faults end.
  package var moments = 0
  /// Kinds that ``moments`` are drawn from.
  package var kinds: [FaultKind] = []
  /// Of ``kinds``, those that a reduced seed leaves out when their moment comes.
  package var off: Set<FaultKind> = []
  /// Of a thousand servers: so many have an ailment.
  package var ailing = 0
  /// Of a thousand hooks: so many do not just say ok.
  package var badHooks = 0
  /// Things that people do besides.
  package var interventions = 0

  package init() {}

  /// Which faults are on is drawn from the seed: some seeds have none of a kind, so that what one
  /// kind breaks is not hidden by another.
  package init(_ random: inout Randomness) {
    late = random.happens(500) ? random.number(0...40) : 0
    doubled = random.happens(500) ? random.number(0...60) : 0
    reordered = random.happens(400) ? random.number(0...40) : 0
    lost = random.happens(400) ? random.number(0...10) : 0
    fragile = random.happens(500) ? random.number(0...80) : 0
    kinds = FaultKind.allCases.filter { $0.isOfMoments && random.happens(400) }
    moments = kinds.isEmpty ? 0 : random.number(0...60)
    ailing = random.happens(850) ? random.number(0...400) : 0
    badHooks = random.happens(700) ? random.number(0...250) : 0
    interventions = random.happens(700) ? random.number(0...40) : 0
  }

  /// A kind, by weight.
  func draw(_ random: inout Randomness) -> FaultKind {
    var place = random.number(0...kinds.reduce(0) { $0 + $1.weight } - 1)
    for kind in kinds {
      place -= kind.weight
      if place < 0 { return kind }
    }
    return kinds[0]
  }
}

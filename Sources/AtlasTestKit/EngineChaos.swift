import AtlasEngine
import AtlasModel

/// Answers by seed: most go well, and everything else happens now and then. Each seed leaves some
/// commands and hooks in peace, so that what comes behind them is reached as well.
package struct EngineChaos: Sendable {
  private var random: EngineRandom
  /// How often of a hundred times something else than the usual happens.
  package var trouble: Int
  /// No update source answers.
  package var isSourceDown = false
  private let calmCommands: [CommandKind]
  private let calmHooks: [HookPoint]

  package init(seed: UInt64, trouble: Int) {
    var random = EngineRandom(seed: seed)
    let calm = random.pick([0, 30, 60])
    calmCommands = CommandKind.allCases.filter { _ in random.chance(calm) }
    calmHooks = HookPoint.allCases.filter { _ in random.chance(calm) }
    self.random = random
    self.trouble = trouble
  }

  package mutating func answer(to command: Command) -> CommandAnswer? {
    if isSourceDown, command.kind == .update { return .ends(.environment, "0x8024402C") }
    guard !calmCommands.contains(command.kind), random.chance(trouble) else {
      return installing(command)
    }
    switch command.kind {
    case .download: return random.pick([.hangs(), .ends(.failed), .ends(.environment)])
    case .snapshot:
      return random.pick([
        .hangs(), .ends(.failed, "E_DISK_FULL"), .ends(.cancelled), .refuses("not here"),
        .ends(.environment), .ends(.refused, "NOT_AFTER"),
      ])
    case .update: return update()
    case .reboot:
      return random.pick([
        .hangs(), .ends(.failed, "E_BOOT", retryable: true), .ends(.cancelled),
        .refuses("not at this hour"), .ends(.failed),
      ])
    case .health:
      return random.pick([
        .hangs(), .unhealthy("a service is down"), .unhealthy("not yet", retryable: true),
        .ends(.cancelled), .ends(.failed), .refuses("no"),
        .healthy([UpdateResult(update: UpdateID(trusted: "KB5031364"), outcome: .reverted)]),
      ])
    case .rollback:
      return random.pick([.hangs(), .ends(.failed), .ends(.cancelled), .refuses("no")])
    case .removeSnapshot:
      return random.pick([.hangs(), .ends(.failed), .ends(.cancelled), .refuses("no")])
    }
  }

  /// Any server may be named, also one that is none of its business.
  private mutating func orderGroup() -> HookAnswer {
    let client = random.pick(["LAA", "MRB", "OVH"])
    let role = random.pick(["WEB01", "APP01", "SQL01", "DC01"])
    let name = ServerName(trusted: "\(client)-PARIS-\(role)")
    return random.pick([
      .never, .ok, .says(.next(name)), .says(.next(name)), .says(.next(name)),
      .says(.error("attempt to index a nil value")),
    ])
  }

  /// An update that goes well, in one of the ways in which updates do.
  private mutating func installing(_ command: Command) -> CommandAnswer? {
    if command.kind == .reboot, command.pass < 3, random.chance(20) { return .findsMoreAfterBoot }
    guard command.kind == .update else { return nil }
    return random.pick([
      .installs(["KB5031364"]), .installs(["KB5031364"]),
      .installs(["KB5031364"], more: command.pass < 3),
      .installs(["KB5031364"], reboot: false), .installs([], failing: ["KB890830"]),
      .nothingToInstall,
    ])
  }

  private mutating func update() -> CommandAnswer {
    var pendingBoot = CommandAnswer.nothingToInstall
    pendingBoot.result.rebootRequired = true
    return random.pick([
      .hangs(), .hangs(changedAfter: .seconds(60)), .ends(.environment, "0x8024402C"),
      .failsToInstall("0x8024402C", "the source does not answer", retryable: false),
      .ends(.failed, "E_BUSY"), .ends(.cancelled), .ends(.refused, "NOT_AFTER"),
      .refuses("not at this hour"), pendingBoot,
      .failsToInstall("0x80070643", "it failed", retryable: true),
      .failsToInstall("0x80070643", "it failed", retryable: true),
      .failsToInstall("0x800F0922", "it failed for good", retryable: false),
    ])
  }

  package mutating func answer(to point: HookPoint) -> HookAnswer? {
    guard !calmHooks.contains(point), random.chance(trouble) else { return nil }
    switch point {
    case .orderGroup: return orderGroup()
    case .peerCheck:
      return random.pick([
        .never, .ok, .ok, .says(.deferred(after: random.seconds(60...600), reason: "it lags")),
        .says(.fail("a peer is not well", retryable: false)), .says(.cancelled),
      ])
    case .preUpdate:
      return random.pick([
        .never, .notDefined, .says(.skip("not tonight")),
        .says(.deferred(after: random.seconds(60...7_200), reason: "a backup runs")),
        .says(.fail("no", retryable: false)), .says(.error("attempt to index a nil value")),
        .says(.timeout("too slow")), .says(.cancelled),
      ])
    case .verifyBackup:
      return random.pick([
        .never, .notDefined, .ok, .backup(age: .seconds(100_000)),
        .backup(age: .seconds(60), isVerified: false),
        .backup(age: .seconds(60), jobAge: .seconds(30)),
        .says(.deferred(after: nil, reason: "a backup runs")),
      ])
    case .enterMaintenance:
      return random.pick([
        .never, .ok, .notDefined, .says(.fail("the balancer says no", retryable: true)),
      ])
    case .leaveMaintenance:
      return random.pick([
        .never, .ok, .notDefined, .says(.error("attempt to index a nil value")),
        .says(.fail("monitoring does not answer", retryable: true)),
      ])
    case .snapshot:
      return random.pick([
        .never, .ok, .snapshot, .snapshot, .says(.fail("no", retryable: true)),
        .snapshot(then: .error("attempt to index a nil value")),
      ])
    case .postUpdate:
      return random.pick([
        .never, .notDefined, .says(.fail("no answer", retryable: true)),
        .says(.fail("no", retryable: false)), .says(.timeout("too slow")),
        .says(.error("attempt to call a nil value")),
      ])
    case .finalize, .rollback:
      return random.pick([.never, .ok, .ok, .says(.fail("no", retryable: false))])
    }
  }
}

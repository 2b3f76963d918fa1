import AtlasEngine
import AtlasModel

/// What agents and hooks answer in an ``EngineWorld``. Without rules everything goes well; the
/// newest rule that fits wins.
package struct EngineScript: Sendable {
  package private(set) var commandRules: [CommandRule] = []
  package private(set) var hookRules: [HookRule] = []
  /// Drawn from for every answer when set: a world in which anything may happen.
  package var chaos: EngineChaos?
  /// How long after their host the guests of a host that boots are back; nil when they stay up.
  package var guestsFollow: Duration?

  package init() {}

  /// A server's answer to a command; nil stands for every server, attempt or pass.
  package struct CommandRule: Sendable {
    package var server: String?
    package var kind: CommandKind
    package var attempt: Int?
    package var pass: Int?
    package var answer: CommandAnswer
  }

  package struct HookRule: Sendable {
    package var server: String?
    package var point: HookPoint
    package var attempt: Int?
    package var answer: HookAnswer
  }

  package mutating func answer(
    _ kind: CommandKind, of server: String? = nil, attempt: Int? = nil, pass: Int? = nil,
    with answer: CommandAnswer
  ) {
    commandRules.append(
      CommandRule(server: server, kind: kind, attempt: attempt, pass: pass, answer: answer))
  }

  package mutating func answer(
    _ point: HookPoint, of server: String? = nil, attempt: Int? = nil, with answer: HookAnswer
  ) {
    hookRules.append(HookRule(server: server, point: point, attempt: attempt, answer: answer))
  }

  package mutating func answer(to command: Command) -> CommandAnswer {
    if chaos != nil, let answer = chaos?.answer(to: command) { return answer }
    let rule = commandRules.last {
      $0.kind == command.kind && $0.server ?? command.server.text == command.server.text
        && $0.attempt ?? command.attempt == command.attempt
        && $0.pass ?? command.pass == command.pass
    }
    return rule?.answer ?? .usual(command.kind)
  }

  package mutating func answer(
    to point: HookPoint, of server: ServerName, attempt: Int
  ) -> HookAnswer {
    if chaos != nil, let answer = chaos?.answer(to: point) { return answer }
    let rule = hookRules.last {
      $0.point == point && $0.server ?? server.text == server.text
        && $0.attempt ?? attempt == attempt
    }
    return rule?.answer ?? .usual(point)
  }
}

/// How one command goes.
package struct CommandAnswer: Hashable, Sendable {
  /// From begin to end; nil when it never ends.
  package var after: Duration?
  /// From begin to the report that the first install has begun; nil when there is none.
  package var changedAfter: Duration?
  package var result: CommandResult
  /// The agent's own rules forbid it.
  package var refusal: String?

  package init(
    after: Duration?, changedAfter: Duration? = nil, result: CommandResult,
    refusal: String? = nil
  ) {
    self.after = after
    self.changedAfter = changedAfter
    self.result = result
    self.refusal = refusal
  }

  /// As it goes on most nights.
  package static func usual(_ kind: CommandKind) -> CommandAnswer {
    switch kind {
    case .download: CommandAnswer(after: .seconds(1_800), result: CommandResult(status: .succeeded))
    case .snapshot: CommandAnswer(after: .seconds(120), result: CommandResult(status: .succeeded))
    case .update: .installs(["KB5031364"])
    case .reboot: CommandAnswer(after: .seconds(240), result: CommandResult(status: .succeeded))
    case .health: .healthy()
    case .rollback: CommandAnswer(after: .seconds(600), result: CommandResult(status: .succeeded))
    case .removeSnapshot:
      CommandAnswer(after: .seconds(60), result: CommandResult(status: .succeeded))
    }
  }

  /// An update that installs what is named and wants a boot.
  package static func installs(
    _ updates: [String], failing: [String] = [], reboot: Bool = true, more: Bool = false,
    after: Duration = .seconds(1_200)
  ) -> CommandAnswer {
    let installed = updates.map {
      UpdateResult(update: UpdateID(trusted: $0), outcome: .installed)
    }
    let failed = failing.map {
      UpdateResult(update: UpdateID(trusted: $0), outcome: .failed, code: "0x80070643")
    }
    return CommandAnswer(
      after: after, changedAfter: .seconds(60),
      result: CommandResult(
        status: .succeeded, changed: true, updates: installed + failed, rebootRequired: reboot,
        moreUpdates: more))
  }

  /// A boot after which there is more of the set to install.
  package static let findsMoreAfterBoot = CommandAnswer(
    after: .seconds(240), result: CommandResult(status: .succeeded, moreUpdates: true))

  /// Nothing of the update set applies.
  package static let nothingToInstall = CommandAnswer(
    after: .seconds(60), result: CommandResult(status: .succeeded))

  /// An update that fails after it has begun to change the server.
  package static func failsToInstall(
    _ code: String, _ message: String, retryable: Bool
  ) -> CommandAnswer {
    CommandAnswer(
      after: .seconds(600), changedAfter: .seconds(60),
      result: CommandResult(
        status: .failed, retryable: retryable, code: code, message: message, changed: true))
  }

  /// A command that ends badly without a change.
  package static func ends(
    _ status: CommandResult.Status, _ code: String = "", _ message: String = "",
    retryable: Bool = false
  ) -> CommandAnswer {
    CommandAnswer(
      after: .seconds(30),
      result: CommandResult(status: status, retryable: retryable, code: code, message: message))
  }

  package static func refuses(_ message: String) -> CommandAnswer {
    CommandAnswer(after: nil, result: CommandResult(status: .refused), refusal: message)
  }

  /// A command that begins, may change the server, and never ends by itself.
  package static func hangs(changedAfter: Duration? = nil) -> CommandAnswer {
    CommandAnswer(
      after: nil, changedAfter: changedAfter, result: CommandResult(status: .succeeded))
  }

  package static func healthy(_ updates: [UpdateResult] = []) -> CommandAnswer {
    CommandAnswer(
      after: .seconds(60),
      result: CommandResult(
        status: .succeeded, updates: updates,
        health: HealthFact(healthy: true, build: "20348.2113")))
  }

  package static func unhealthy(_ problem: String, retryable: Bool = false) -> CommandAnswer {
    CommandAnswer(
      after: .seconds(60),
      result: CommandResult(
        status: .succeeded, retryable: retryable,
        health: HealthFact(healthy: false, problems: [problem])))
  }
}

/// How one hook function goes.
package struct HookAnswer: Hashable, Sendable {
  /// Nil when it never ends by itself.
  package var after: Duration?
  package var says: Says

  package enum Says: Hashable, Sendable {
    /// Evidence of a backup this old when the hook ends, and of when the last job ran, if it says.
    case backup(age: Duration, isVerified: Bool, jobAge: Duration?)
    /// Evidence of a snapshot that was taken just now.
    case snapshot
    /// The same, and then it ends otherwise than well.
    case snapshotThen(HookVerdict)
    case verdict(HookVerdict)
  }

  package init(after: Duration?, _ says: Says) {
    self.after = after
    self.says = says
  }

  package static let ok = HookAnswer(after: .seconds(10), .verdict(.ok(backup: nil, snapshot: nil)))
  package static let notDefined = HookAnswer(after: .zero, .verdict(.notDefined))
  package static let never = HookAnswer(after: nil, .verdict(.cancelled))
  package static let snapshot = HookAnswer(after: .seconds(60), .snapshot)

  package static func snapshot(then verdict: HookVerdict) -> HookAnswer {
    HookAnswer(after: .seconds(60), .snapshotThen(verdict))
  }

  package static func backup(
    age: Duration, isVerified: Bool = true, jobAge: Duration? = nil
  ) -> HookAnswer {
    HookAnswer(
      after: .seconds(20), .backup(age: age, isVerified: isVerified, jobAge: jobAge))
  }

  package static func says(_ verdict: HookVerdict) -> HookAnswer {
    HookAnswer(after: .seconds(10), .verdict(verdict))
  }

  /// As it goes on most nights: the client checks its backup and its service, and the agent does
  /// the rest.
  package static func usual(_ point: HookPoint) -> HookAnswer {
    switch point {
    case .preUpdate, .postUpdate: .ok
    case .verifyBackup: .backup(age: .seconds(6 * 3_600), jobAge: .seconds(6 * 3_600))
    case .snapshot, .finalize, .rollback, .orderGroup, .peerCheck, .enterMaintenance,
      .leaveMaintenance:
      .notDefined
    }
  }
}

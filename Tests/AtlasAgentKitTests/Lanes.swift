import AtlasModel
import Synchronization

@testable import AtlasAgentKit

/// The least that patches a fleet: one server of a client after the other, all clients at once.
/// Just clever enough to exercise agents; it knows no windows, gates or people.
final class Lanes: Sendable {
  private struct Run {
    var command: Command
    var attempt = 1
    var pass = 1
  }

  private struct Lane {
    var waiting: [ServerName]
    var run: Run?
  }

  private struct State {
    var lanes: [String: Lane] = [:]
    var fence: UInt64 = 0
    var isStopped = false
    var finished: CheckedContinuation<Void, Never>?
    var outcomes: [ServerName: String] = [:]
  }

  private let state = Mutex(State())
  private let clients: [ServerName: String]

  init(_ members: [FleetMember]) {
    clients = Dictionary(uniqueKeysWithValues: members.map { ($0.server, $0.client) })
    state.withLock { state in
      for member in members.reversed() {
        state.lanes[member.client, default: Lane(waiting: [])].waiting.append(member.server)
      }
    }
  }

  /// How each server ended.
  var outcomes: [ServerName: String] { state.withLock { $0.outcomes } }

  /// Patches everything; returns when every lane is empty.
  func play(over daemon: FakeDaemon) async {
    await withCheckedContinuation { continuation in
      let commands = state.withLock { state in
        state.finished = continuation
        return state.lanes.keys.sorted().compactMap { self.next($0, &state) }
      }
      for command in commands { daemon.send(.command(command), to: command.server) }
    }
  }

  /// Stops everything that has not begun, and starts nothing more.
  func stop(_ daemon: FakeDaemon) -> Fence {
    let fence = state.withLock { state in
      state.isStopped = true
      state.fence += 1
      return Fence(state.fence)
    }
    daemon.stopAll(fence)
    return fence
  }

  func heard(_ daemon: FakeDaemon, _ server: ServerName, _ message: AgentMessage) {
    var results: [(Fence, CommandResult)] = []
    switch message {
    case .hello(let hello): results = hello.reports.compactMap(\.ending)
    case .report(let report): results = [report].compactMap(\.ending)
    case .acknowledgement, .probed: break
    }
    let commands = state.withLock { state in
      var commands: [Command] = []
      for (fence, result) in results {
        if let next = ended(server, fence, result, &state) { commands.append(next) }
      }
      if case .hello = message, commands.isEmpty, let again = current(server, state) {
        commands.append(again)
      }
      return commands
    }
    for command in commands { daemon.send(.command(command), to: command.server) }
    finishIfDone()
  }

  private func current(_ server: ServerName, _ state: State) -> Command? {
    guard let run = state.lanes[clients[server] ?? ""]?.run, run.command.server == server else {
      return nil
    }
    return run.command
  }

  /// The command after one that has ended; of the same server or of the next in its lane.
  private func ended(
    _ server: ServerName, _ fence: Fence, _ result: CommandResult, _ state: inout State
  ) -> Command? {
    guard let client = clients[server], let run = state.lanes[client]?.run,
      run.command.fence == fence
    else { return nil }
    switch (run.command.kind, result.status) {
    case (.snapshot, .succeeded): return give(.update, run, client, &state)
    case (.update, .succeeded) where result.rebootRequired:
      return give(.reboot, run, client, &state)
    case (.update, .succeeded) where result.moreUpdates,
      (.reboot, .succeeded) where result.moreUpdates:
      var run = run
      run.pass += 1
      return give(.update, run, client, &state)
    case (.update, .succeeded), (.reboot, .succeeded), (.rollback, .succeeded):
      return give(.health, run, client, &state)
    case (.update, .failed) where result.retryable && run.attempt < 3:
      var run = run
      run.attempt += 1
      return give(.update, run, client, &state)
    case (.update, .failed),
      (.health, _) where result.health?.healthy == false && !run.command.afterRollback:
      return give(.rollback, run, client, &state)
    case (.health, .succeeded): return give(.removeSnapshot, run, client, &state)
    case _:
      let how = "\(run.command.kind.word) \(result.status)"
      state.outcomes[server] = how
      return next(client, &state)
    }
  }

  private func give(
    _ kind: CommandKind, _ run: Run, _ client: String, _ state: inout State
  ) -> Command? {
    guard !state.isStopped || kind == .health else {
      state.outcomes[run.command.server] = "stopped before \(kind.word)"
      return next(client, &state)
    }
    state.fence += 1
    var run = run
    let afterRollback = run.command.kind == .rollback
    run.command = Command(
      fence: Fence(state.fence), kind: kind, server: run.command.server,
      campaign: run.command.campaign, runKey: run.command.runKey, attempt: run.attempt,
      pass: run.pass, snapshotID: "snap-\(run.command.runKey)", afterRollback: afterRollback)
    state.lanes[client]?.run = run
    return run.command
  }

  private func next(_ client: String, _ state: inout State) -> Command? {
    state.lanes[client]?.run = nil
    guard !state.isStopped, let server = state.lanes[client]?.waiting.popLast() else { return nil }
    let run = Run(
      command: Command(
        fence: .none, kind: .snapshot, server: server, campaign: CampaignName(trusted: "patch"),
        runKey: "patch/\(server)/1", attempt: 1, pass: 1))
    return give(.snapshot, run, client, &state)
  }

  private func finishIfDone() {
    let finished = state.withLock { state -> CheckedContinuation<Void, Never>? in
      let isDone = state.lanes.values.allSatisfy {
        $0.run == nil && ($0.waiting.isEmpty || state.isStopped)
      }
      guard isDone else { return nil }
      defer { state.finished = nil }
      return state.finished
    }
    finished?.resume()
  }
}

extension CommandReport {
  fileprivate var ending: (Fence, CommandResult)? {
    guard case .result(let result) = event else { return nil }
    return (fence, result)
  }
}

import AtlasEngine
import AtlasModel

/// An agent as the engine's tests need one: it keeps a journal, refuses what is stale, obeys stops,
/// and carries out one command at a time as its script says. It shares no code with the real one.
package struct EngineAgent: Sendable {
  package let server: ServerID
  package let name: ServerName
  /// A session is open.
  package var isConnected = false
  /// The session is open, and what the daemon sends does not arrive.
  package var isDeaf = false
  package var version = "1.0.0"
  package var boots = 1
  package private(set) var highest = Fence.none
  package private(set) var stopFence = Fence.none
  package private(set) var orders: [Order] = []
  /// Fences that were begun, ever: none may be begun twice (S5).
  package private(set) var begun: [Fence] = []

  package struct Order: Sendable {
    package var command: Command
    package var answer: CommandAnswer
    package var progress = CommandProgress.accepted
    package var changed = false
    /// Not acknowledged by the daemon yet, oldest first.
    package var reports: [CommandReport] = []
    package var lastSeq: UInt32 = 0

    package var status: CommandStatus {
      CommandStatus(
        fence: command.fence, kind: command.kind, progress: progress, changed: changed)
    }
  }

  package init(server: ServerID, name: ServerName) {
    self.server = server
    self.name = name
  }

  package var hello: Hello {
    Hello(
      server: name, agentVersion: version, bootID: "boot-\(boots)", highestFence: highest,
      command: orders.last?.status, reports: orders.flatMap(\.reports))
  }

  /// Takes a command into the journal; says what the daemon hears, and whether it may begin now.
  package mutating func take(
    _ command: Command, answer: CommandAnswer, now: Instant
  ) -> CommandAcknowledgement {
    let fence = command.fence
    if let known = orders.first(where: { $0.command.fence == fence }) {
      return CommandAcknowledgement(fence: fence, verdict: .accepted, recorded: known.status)
    }
    guard fence > highest else { return CommandAcknowledgement(fence: fence, verdict: .stale) }
    highest = fence
    if let refusal = answer.refusal {
      return CommandAcknowledgement(fence: fence, verdict: .refused, message: refusal)
    }
    orders.append(Order(command: command, answer: answer))
    return CommandAcknowledgement(fence: fence, verdict: .accepted)
  }

  /// The command that is to begin now, if there is one and nothing else runs.
  package mutating func beginNext() -> Order? {
    guard !orders.contains(where: { $0.progress == .begun }),
      let next = orders.firstIndex(where: { $0.progress == .accepted }),
      orders[next].command.kind != .reboot || isConnected
    else { return nil }
    orders[next].progress = .begun
    begun.append(orders[next].command.fence)
    return orders[next]
  }

  package subscript(fence: Fence) -> Order? { orders.first { $0.command.fence == fence } }

  /// The first install begins.
  package mutating func change(_ fence: Fence, now: Instant) -> CommandReport? {
    guard let index = orders.firstIndex(where: { $0.command.fence == fence }),
      orders[index].progress == .begun
    else { return nil }
    orders[index].changed = true
    return report(index, .progress(ProgressReport(percent: 10, changed: true)), now: now)
  }

  package mutating func finish(
    _ fence: Fence, _ result: CommandResult, now: Instant
  ) -> CommandReport? {
    guard let index = orders.firstIndex(where: { $0.command.fence == fence }),
      orders[index].progress != .done
    else { return nil }
    orders[index].progress = .done
    var result = result
    result.changed = result.changed || orders[index].changed
    return report(index, .result(result), now: now)
  }

  private mutating func report(
    _ index: Int, _ event: CommandReport.Event, now: Instant
  ) -> CommandReport {
    orders[index].lastSeq += 1
    let report = CommandReport(
      fence: orders[index].command.fence, seq: orders[index].lastSeq, at: now, event: event)
    orders[index].reports.append(report)
    return report
  }

  /// What was not begun below the fence never begins; says what there is to report.
  package mutating func stop(below fence: Fence, now: Instant) -> [CommandReport] {
    guard fence > stopFence else { return [] }
    stopFence = fence
    highest = max(highest, fence)
    let cancelled = orders.filter { $0.progress == .accepted && $0.command.fence < fence }
    let downloads = orders.filter { $0.progress == .begun && $0.command.kind == .download }
    return (cancelled + downloads).compactMap {
      finish($0.command.fence, CommandResult(status: .cancelled, message: "stopped"), now: now)
    }
  }

  /// Takes a command back if it has not begun; a download stops at any time.
  package mutating func cancel(_ target: Fence, by fence: Fence, now: Instant) -> CommandReport? {
    guard fence > highest else { return nil }
    highest = fence
    guard let order = self[target],
      order.progress == .accepted || order.command.kind == .download && order.progress == .begun
    else { return nil }
    return finish(target, CommandResult(status: .cancelled, message: "cancelled"), now: now)
  }

  /// The daemon has committed the reports of a command up to `seq`.
  package mutating func acknowledged(_ fence: Fence, seq: UInt32) {
    guard let index = orders.firstIndex(where: { $0.command.fence == fence }) else { return }
    orders[index].reports.removeAll { $0.seq <= seq }
    if orders[index].progress == .done, orders[index].reports.isEmpty {
      orders.remove(at: index)
    }
  }

  /// Its disk was replaced: nothing is known any more, and what was done before may be done again.
  package mutating func loseJournal() {
    highest = .none
    orders = []
    begun = []
  }

  /// Its server was put back to a snapshot that was taken while the command of `fence` ran.
  package mutating func goBack(toFence fence: Fence) {
    highest = fence
    orders = []
  }

  /// A command arrived and was begun, and the session ended before the agent could say so.
  package mutating func journal(_ command: Command?) {
    guard let command else { return }
    _ = take(command, answer: .usual(command.kind), now: EngineFleet.start)
  }

  /// The journal says that a command has ended, and its report is gone.
  package mutating func loseReports() {
    for index in orders.indices { orders[index].reports = [] }
  }
}

import AtlasModel

/// What an agent's journal says: the sum of its entries.
package struct JournalState: Hashable, Sendable {
  /// Boot id at the newest start; empty in a new journal.
  package var bootID = ""
  package var highestFence = Fence.none
  /// Newest emergency stop.
  package var stopFence = Fence.none
  /// The newest command that was refused, so that a repeat gets the same answer.
  package var refusal: JournalRefusal?
  /// The newest cancel, for the same reason.
  package var cancel: JournalCancel?
  /// By fence, lowest first. Commands that are done and whose reports are acknowledged are
  /// dropped, the newest excepted; at most ``AgentLimits/commands``.
  package var commands: [JournalCommand] = []

  package init() {}

  /// The sum of `entries`.
  package init(replaying entries: some Sequence<JournalEntry>) {
    for entry in entries { apply(entry) }
  }

  /// The command with this fence; nil when it is unknown or forgotten.
  package subscript(fence: Fence) -> JournalCommand? {
    index(of: fence).map { commands[$0] }
  }

  /// Adds one entry. An entry about a command that was forgotten changes nothing.
  package mutating func apply(_ entry: JournalEntry) {
    switch entry {
    case .state(let state):
      self = state
    case .booted(let bootID):
      self.bootID = bootID
    case .accepted(let command):
      raise(to: command.fence)
      commands.append(JournalCommand(command))
      forgetSettled()
    case .refused(let fence, let message):
      raise(to: fence)
      refusal = JournalRefusal(fence: fence, message: message)
    case .begun(let fence):
      change(fence) { $0.progress = .begun }
    case .changed(let fence):
      change(fence) { $0.changed = true }
    case .report(let report):
      change(report.fence) { $0.add(report) }
    case .acknowledged(let fence, let seq):
      change(fence) { command in command.reports.removeAll { $0.seq <= seq } }
      forgetSettled()
    case .cancel(let fence, let command):
      raise(to: fence)
      cancel = JournalCancel(fence: fence, command: command)
      change(command) { $0.withdraw() }
    case .stop(let fence):
      raise(to: fence)
      stopFence = max(stopFence, fence)
      for index in commands.indices where commands[index].command.fence < fence {
        commands[index].withdraw()
      }
    }
  }

  private func index(of fence: Fence) -> Int? {
    commands.firstIndex { $0.command.fence == fence }
  }

  private mutating func change(_ fence: Fence, _ body: (inout JournalCommand) -> Void) {
    guard let index = index(of: fence) else { return }
    body(&commands[index])
  }

  private mutating func raise(to fence: Fence) { highestFence = max(highestFence, fence) }

  private mutating func forgetSettled() {
    guard let newest = commands.last?.command.fence else { return }
    commands.removeAll { $0.isSettled && $0.command.fence != newest }
  }
}

/// A command in the journal.
package struct JournalCommand: Hashable, Sendable {
  package var command: Command
  package var progress: CommandProgress
  package var changed: Bool
  /// A cancel or a stop met it before it had begun, or met a download.
  package var withdrawn: Bool
  /// Number of its newest report; 0 before the first.
  package var lastSeq: UInt32
  /// Reports that are not acknowledged, oldest first; at most
  /// ``AgentLimits/reportsPerCommand``.
  package var reports: [CommandReport]

  package init(
    _ command: Command, progress: CommandProgress = .accepted, changed: Bool = false,
    withdrawn: Bool = false, lastSeq: UInt32 = 0, reports: [CommandReport] = []
  ) {
    self.command = command
    self.progress = progress
    self.changed = changed
    self.withdrawn = withdrawn
    self.lastSeq = lastSeq
    self.reports = reports
  }

  package var status: CommandStatus {
    CommandStatus(
      fence: command.fence, kind: command.kind, progress: progress, changed: changed)
  }

  /// Nobody will ask for it again, except as the newest command.
  fileprivate var isSettled: Bool { progress == .done && reports.isEmpty }

  fileprivate mutating func add(_ report: CommandReport) {
    lastSeq = report.seq
    reports.append(report)
    switch report.event {
    case .progress(let progress):
      changed = changed || progress.changed
    case .result(let result):
      progress = .done
      changed = changed || result.changed
    }
  }

  fileprivate mutating func withdraw() {
    switch progress {
    case .accepted: withdrawn = true
    case .begun: withdrawn = withdrawn || command.kind == .download
    case .done: break
    }
  }
}

/// A command that the agent would not take.
package struct JournalRefusal: Hashable, Sendable {
  package var fence: Fence
  package var message: String

  package init(fence: Fence, message: String) {
    self.fence = fence
    self.message = message
  }
}

/// A cancel that the agent has seen.
package struct JournalCancel: Hashable, Sendable {
  /// Of the cancel itself.
  package var fence: Fence
  /// Of the command it took back.
  package var command: Fence

  package init(fence: Fence, command: Fence) {
    self.fence = fence
    self.command = command
  }
}

import AtlasModel

/// One agent, without its surroundings: decides what is journaled, sent and begun.
///
/// It follows engine.md §11. The order that everything rests on is: journal, then answer; journal,
/// then begin; journal, then report. The machine applies an entry at once to its picture of the
/// journal, hands it to the shell, and holds back whatever depends on it until the shell says that
/// it is on disk. A process that dies in between therefore forgets nothing that anybody was told.
///
/// Commands are carried out one at a time, lowest fence first. A fence that the journal knows is
/// answered with its recorded state, also when a higher one was seen since; an unknown fence at or
/// below the highest is stale, and answered with the state of the newest command.
///
/// A process that has just started begins nothing new before its first welcome: it may have slept
/// through an emergency stop. What had begun goes on.
///
/// **Reports.** A report is numbered, journaled and then sent, and kept until it is acknowledged.
/// At most one of progress is unacknowledged for a command; newer progress replaces the one that
/// waits behind it and is numbered when its turn comes. So the numbers have no gaps, a result waits
/// for nobody, and an agent without a session keeps at most ``AgentLimits/reportsPerCommand``.
///
/// The same struct serves a real agent and a simulated one. It is not thread-safe: one caller at a
/// time, actions performed in order.
package struct AgentMachine: Sendable {
  package let server: ServerName
  package let version: String
  package let rules: AgentRules
  /// The journal with every entry handed out so far, on disk or not.
  package internal(set) var journal: JournalState

  var session = Session.closed
  var running = Running.nothing
  /// Some session of this process was welcomed.
  var wasWelcomed = false
  /// Number of the newest entry, of the newest that others wait for, and of the newest on disk.
  var lastEntry: UInt64 = 0
  var lastBinding: UInt64 = 0
  var writtenEntry: UInt64 = 0
  /// What waits for an entry to be on disk, in order.
  var waiting: [Waiting] = []

  /// An agent that has just started with what its journal says; ``AgentInput/started(bootID:)``
  /// comes next.
  package init(
    server: ServerName, version: String, rules: AgentRules = AgentRules(),
    journal: JournalState = JournalState()
  ) {
    self.server = server
    self.version = version
    self.rules = rules
    self.journal = journal
  }

  /// Takes one input and says what to do, in order.
  /// - Parameter now: Campaign time; it stamps reports and is held against `notAfter`.
  package mutating func handle(_ input: AgentInput, now: Instant) -> [AgentAction] {
    switch input {
    case .started(let bootID): started(bootID: bootID, now: now)
    case .sessionOpened: sessionOpened(now: now)
    case .sessionClosed: sessionClosed()
    case .message(let message): received(message, now: now)
    case .journalWritten(let number): journalWritten(number, now: now)
    case .driverWillChange(let fence): driverWillChange(fence, now: now)
    case .driverProgress(let fence, let report): driverProgress(fence, report, now: now)
    case .driverFinished(let fence, let result): driverFinished(fence, result, now: now)
    case .driverProbed(let number, let facts): probed(number, facts)
    }
  }

  /// Fence of the command that the driver is working on; nil when there is none.
  package var runningFence: Fence? {
    guard case .driving(let driving) = running else { return nil }
    return driving.fence
  }

  /// The daemon has welcomed the agent in the session that is open.
  package var isLive: Bool {
    if case .live = session { true } else { false }
  }
}

extension AgentMachine {
  /// The session: closed → opening → live, and from each back to closed.
  enum Session: Hashable, Sendable {
    case closed
    /// Hello is sent or waits for the journal; `told` are the reports in it.
    case opening(told: Set<ReportKey>)
    case live
  }

  struct ReportKey: Hashable, Sendable {
    var fence: Fence
    var seq: UInt32
  }

  /// The one command that is worked on: nothing → beginning → driving → nothing. One that is taken
  /// back leaves `beginning` for `nothing`.
  enum Running: Hashable, Sendable {
    case nothing
    /// `begun` is in the journal, but perhaps not on disk; the driver has not started.
    case beginning(Fence, onDisk: Bool)
    case driving(Driving)
  }

  struct Driving: Hashable, Sendable {
    var fence: Fence
    var percent = 0
    /// Progress that waits until the one before it is acknowledged.
    var held: ProgressReport?
  }

  /// Something that depends on the entry `after`.
  struct Waiting: Hashable, Sendable {
    enum Step: Hashable, Sendable {
      case send(AgentMessage)
      case begin(Fence)
      case resume(Fence, after: Interruption)
      case permit(Fence)
    }

    var after: UInt64
    var step: Step
  }

  /// Applies the entry and hands it to the shell.
  mutating func record(_ entry: JournalEntry) -> AgentAction {
    journal.apply(entry)
    lastEntry += 1
    if !entry.mayWait { lastBinding = lastEntry }
    return .journal(entry, number: lastEntry)
  }

  /// Performs `step` once everything journaled so far is on disk: at once, or when the shell says.
  mutating func afterJournal(_ step: Waiting.Step, now: Instant) -> [AgentAction] {
    let isBound = writtenEntry < lastBinding && !Plant.journalNotAwaited.isOn
    guard isBound || !waiting.isEmpty else { return perform(step, now: now) }
    waiting.append(Waiting(after: lastBinding, step: step))
    return []
  }

  /// Sends `message` after the journal, if a session is live.
  mutating func tell(_ message: AgentMessage, now: Instant) -> [AgentAction] {
    isLive ? afterJournal(.send(message), now: now) : []
  }

  mutating func journalWritten(_ number: UInt64, now: Instant) -> [AgentAction] {
    writtenEntry = max(writtenEntry, min(number, lastEntry))
    var actions: [AgentAction] = []
    while let first = waiting.first, first.after <= writtenEntry {
      waiting.removeFirst()
      actions += perform(first.step, now: now)
    }
    return actions
  }

  private mutating func perform(_ step: Waiting.Step, now: Instant) -> [AgentAction] {
    switch step {
    case .send(let message):
      return [.send(message)]
    case .begin(let fence):
      guard running == .beginning(fence, onDisk: false) else { return [] }
      running = .beginning(fence, onDisk: true)
      return beginNext(now: now)
    case .resume(let fence, let interruption):
      return resume(fence, after: interruption)
    case .permit(let fence):
      return runningFence == fence ? [.permitChange(fence)] : []
    }
  }
}

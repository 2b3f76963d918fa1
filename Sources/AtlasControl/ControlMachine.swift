import AtlasEngine
import AtlasModel
import AtlasStore

/// The synchronous heart of the daemon: it turns inputs into commits, and only after a commit into
/// effects and answers.
///
/// While a commit runs, inputs wait; when it is done, up to ``Limits/batch`` of them are stepped
/// through the engine and committed together. Everything that anybody outside may see of a batch,
/// reads and refusals included, is kept back until it is durable (S6). The order is always: step,
/// commit, then act.
package struct ControlMachine: Sendable {
  package internal(set) var state: ControlState
  let configuration: Configuration
  /// Inputs that have not been stepped yet, oldest first.
  private var waiting: [ControlInput] = []
  /// Position in ``waiting`` of the oldest; what is before it is done.
  private var nextWaiting = 0
  /// Clients whose windows are not known since the start; what may depend on them waits.
  private var unknownWindows = 0
  /// Inputs that came before all windows were known, oldest first.
  private var early: [ControlInput] = []
  /// What the running commit will let out; nil when none runs.
  private var released: [Release]?
  private var isHalted = false
  private var isEnding = false
  private var armed: Instant?
  var log: LogPosition
  var sessions = SessionTable()
  var outbox: Outbox
  var answers: AnswerTable
  var hookRevision = ""
  /// Where the engine puts its effects: the same list for every step, empty in between.
  private var effects: [Effect] = []

  /// What the machine is given by the program that puts it together.
  package struct Configuration: Sendable {
    package var daemonVersion: String
    /// 1 outside rehearsals.
    package var demoFactor: Int
    /// How often an agent that polls comes back, in real time.
    package var checkInterval: Duration
    /// SHA-256, given from outside so that the machine needs no library for it.
    package var hash: @Sendable ([UInt8]) -> [UInt8]
    /// Bytes of an answer, kept for a repeat of its request.
    package var encode: @Sendable (_ method: String, ControlAnswer) -> [UInt8]
    /// The next openings of a client's windows after an instant, given from outside: calendars need
    /// more than the standard library. Throws what is wrong with its windows.
    package var openings: @Sendable (ClientConfig, Instant, Int) throws -> WindowOpenings

    package init(
      daemonVersion: String, demoFactor: Int, checkInterval: Duration,
      hash: @escaping @Sendable ([UInt8]) -> [UInt8],
      encode: @escaping @Sendable (_ method: String, ControlAnswer) -> [UInt8],
      openings: @escaping @Sendable (ClientConfig, Instant, Int) throws -> WindowOpenings = {
        _, _, _ in throw NoCalendar()
      }
    ) {
      self.daemonVersion = daemonVersion
      self.demoFactor = demoFactor
      self.checkInterval = checkInterval
      self.hash = hash
      self.encode = encode
      self.openings = openings
    }
  }

  /// Puts the machine together from what the store holds.
  /// - Throws: ``RowError`` when a row cannot be read; nothing is guessed.
  package init(
    stored: StoredState, floors: ControlState.Floors, configuration: Configuration
  ) throws(RowError) {
    self.configuration = configuration
    state = ControlState(stored: try StateRows.load(stored), floors: floors)
    log = LogPosition(stored.meta)
    outbox = try Outbox(stored.outbox)
    answers = AnswerTable(stored.answers)
  }

  /// Revisions of the hooks that campaigns pinned when they started, ended ones too.
  package var pinnedHookRevisions: Set<String> {
    Set(state.campaigns.map(\.hookRevision).filter { !$0.isEmpty })
  }

  /// Sets a machine that was just put together going; to be called once, before any input.
  ///
  /// It asks for the windows of every client, and takes nothing but emergency stops before it knows
  /// them all: to a server that comes back in between, every window would be closed.
  package mutating func wake(at moment: Moment) -> [ControlAction] {
    var batch = PendingBatch(at: moment)
    apply(state.wake(now: moment.campaign), to: &batch)
    unknownWindows = state.clients.count
    return finish(batch)
  }

  /// Begins nothing more: what waits is forgotten, and of a commit that runs only the answers are
  /// let out.
  package mutating func end() {
    isEnding = true
    waiting.removeAll()
    early.removeAll()
    nextWaiting = 0
  }

  /// Takes one input and says what is to be done.
  package mutating func handle(_ input: ControlInput, at moment: Moment) -> [ControlAction] {
    guard !isHalted else { return [] }
    switch input {
    case .committed: return release(at: moment)
    case .commitFailed(let error):
      isHalted = true
      return [.halt("the store failed: \(error)")]
    case _ where isEnding: return []
    case _ where unknownWindows > 0: holdBack(input)
    case _: waiting.append(input)
    }
    return released == nil ? work(at: moment) : []
  }

  /// Keeps what must not be taken yet, until the last windows are known.
  private mutating func holdBack(_ input: ControlInput) {
    switch input {
    case .windowsExpanded:
      waiting.append(input)
      unknownWindows -= 1
      guard unknownWindows == 0 else { return }
      waiting += early
      early = []
    case .request(_, .change(.stop, _)): waiting.append(input)
    case .request, .sessionOpened, .agentMessage, .sessionClosed, .hookFinished, .hooksLoaded,
      .timerFired:
      early.append(input)
    case .committed, .commitFailed: preconditionFailure("the end of a commit never waits")
    }
  }

  /// Position of the newest record.
  package var logPosition: UInt64 { log.seq }

  /// A commit runs: what it holds may be durable before anybody has been told.
  package var isCommitting: Bool { released != nil }

  /// Inputs that wait for a commit to end, or for windows.
  package var backlog: Int { queued + early.count }

  private var queued: Int { waiting.count - nextWaiting }

  /// Steps what waits, until something must be committed or nothing waits any more.
  private mutating func work(at moment: Moment) -> [ControlAction] {
    var actions: [ControlAction] = []
    while released == nil, queued > 0 {
      var batch = PendingBatch(at: moment)
      var steps = 0
      while queued > 0, steps < Limits.batch {
        take(nextInput(), into: &batch)
        steps += 1
      }
      actions += finish(batch)
    }
    return actions
  }

  private mutating func nextInput() -> ControlInput {
    let input = waiting[nextWaiting]
    nextWaiting += 1
    if nextWaiting == waiting.count {
      waiting.removeAll(keepingCapacity: true)
      nextWaiting = 0
    }
    return input
  }

  /// Commits what the batch changed; lets out the rest at once when it changed nothing.
  private mutating func finish(_ batch: PendingBatch) -> [ControlAction] {
    guard let commit = close(batch) else { return perform(batch.releases) + rearm() }
    if Plant.actsBeforeCommit.isOn {
      released = []
      return perform(batch.releases) + [.commit(commit)]
    }
    released = batch.releases
    return [.commit(commit)]
  }

  private mutating func release(at moment: Moment) -> [ControlAction] {
    guard let released else { return [] }
    self.released = nil
    // Commands and hooks that the last commit decided on go out with the next daemon.
    if isEnding { return perform(released).filter(\.isReply) }
    return perform(released) + [.logGrew(log.seq)] + rearm() + work(at: moment)
  }

  /// Tells the shell when to come back, when that has changed.
  private mutating func rearm() -> [ControlAction] {
    let next = state.nextDeadline
    guard next != armed else { return [] }
    armed = next
    return [.armTimer(next)]
  }

  private mutating func take(_ input: ControlInput, into batch: inout PendingBatch) {
    switch input {
    case .request(let ticket, let request): take(request, ticket, into: &batch)
    case .sessionOpened(let session, let hello): open(session, hello, into: &batch)
    case .agentMessage(let session, let message): take(message, from: session, into: &batch)
    case .sessionClosed(let session): close(session, into: &batch)
    case .hookFinished(let ticket, let verdict, let row):
      if let row { batch.hookRuns.append(row) }
      step(.hookFinished(ticket.run, serial: ticket.serial, verdict), into: &batch)
    case .windowsExpanded(let client, let windows, let narrowed, let until, let question):
      step(
        .windowsExpanded(client, windows, narrowed: narrowed, until: until, question: question),
        into: &batch)
    case .hooksLoaded(let revision): hookRevision = revision
    case .timerFired:
      armed = nil
      step(.timePassed, into: &batch)
    case .committed, .commitFailed: preconditionFailure("the end of a commit never waits")
    }
  }

  /// Steps an event of the world through the engine; such events are never refused.
  mutating func step(_ event: Event, into batch: inout PendingBatch) {
    var effects: [Effect] = []
    swap(&effects, &self.effects)
    do {
      try state.step(event, now: batch.moment.campaign, into: &effects)
    } catch {
      preconditionFailure("the engine refused what nobody asked for: \(error)")
    }
    apply(effects, to: &batch)
    effects.removeAll(keepingCapacity: true)
    swap(&effects, &self.effects)
  }
}

/// The program that put the machine together gave it no calendar.
package struct NoCalendar: Error, CustomStringConvertible {
  package var description: String { "this daemon has no calendar to read windows with" }
}

/// What is being put together for one commit, and what it will let out.
struct PendingBatch {
  let moment: Moment
  var records: [Record] = []
  /// In the order of their first change; a later change is seen when the rows are made.
  var changed: [Effect.Item] = []
  var isChanged: Set<Effect.Item> = []
  var outboxPuts: [Fence] = []
  var outboxRemovals: [Fence] = []
  var answers: [AnswerRow] = []
  var hookRuns: [HookRunRow] = []
  var releases: [Release] = []

  init(at moment: Moment) { self.moment = moment }

  mutating func save(_ item: Effect.Item) {
    if isChanged.insert(item).inserted { changed.append(item) }
  }

  var isEmpty: Bool {
    records.isEmpty && changed.isEmpty && outboxPuts.isEmpty && outboxRemovals.isEmpty
      && answers.isEmpty && hookRuns.isEmpty
  }
}

/// What happens once a batch is durable.
enum Release: Sendable {
  case reply(RequestTicket, ControlReply)
  /// Send the command, if it is still in the outbox and its agent is there.
  case deliver(Fence)
  case welcome(SessionID, Welcome)
  /// Send what the outbox holds for the server.
  case deliverAll(ServerID)
  case send(ServerID, DaemonMessage)
  case sendAll(ClientID?, DaemonMessage)
  case endSession(SessionID, reason: String)
  case startHook(HookOrder)
  case cancelHook(HookTicket)
  case expandWindows(ClientID, ClientConfig, question: UInt32)
}

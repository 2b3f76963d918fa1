import AtlasCalendar
import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasStore
import Dispatch
import Logging
import ServiceLifecycle
import Synchronization

/// The only asynchronous code of the daemon's heart: it brings inputs to the control machine, one
/// at a time, and carries out the actions that come back.
package final class ControlPump: Service {
  private let store: any Store
  private let hooks: any HookPort
  private let clock: CampaignClock
  private let logger: Logger
  private let firstWindow: FirstWindow
  /// Nil asks the pump to end.
  private let inputs: AsyncStream<ControlInput?>
  private let input: AsyncStream<ControlInput?>.Continuation
  private let channels = AgentChannels()
  private let probes = ProbeDesk()
  private let callers = Mutex<Callers>(Callers())
  private let alarm: Alarm
  private let hasJumped = Atomic<Bool>(false)
  /// Inputs that the machine has not taken yet, and those that it holds until the running commit
  /// is done.
  private let backlog = Atomic<Int>(0)
  private let held = Atomic<Int>(0)
  /// Who follows the log is woken here.
  package let tail: LogTail
  /// Taken by ``run()``, which alone uses it from then on.
  private let machine: Mutex<ControlMachine?>

  private struct Callers {
    var waiting: [RequestTicket: CheckedContinuation<ControlReply, Never>] = [:]
    var nextTicket: UInt64 = 0
    var nextSession: UInt64 = 0
    var isClosed = false
  }

  package init(
    machine: ControlMachine, store: any Store, hooks: any HookPort, clock: CampaignClock,
    firstWindow: FirstWindow, logger: Logger
  ) {
    self.machine = Mutex(machine)
    self.store = store
    self.hooks = hooks
    self.clock = clock
    self.firstWindow = firstWindow
    self.logger = logger
    tail = LogTail(position: machine.logPosition)
    (inputs, input) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    alarm = Alarm()
  }

  // MARK: - For the services

  /// Asks the control machine, and waits for its answer, which comes after the commit.
  package func call(_ request: ControlRequest) async -> ControlReply {
    await withCheckedContinuation { continuation in
      let ticket: RequestTicket? = callers.withLock { callers in
        guard !callers.isClosed, callers.waiting.count < Limits.waitingCallers else { return nil }
        callers.nextTicket += 1
        let ticket = RequestTicket(callers.nextTicket)
        callers.waiting[ticket] = continuation
        return ticket
      }
      guard let ticket else {
        let isClosed = callers.withLock { $0.isClosed }
        return continuation.resume(returning: .refused(isClosed ? .shuttingDown : .overloaded))
      }
      put(.request(ticket, request))
    }
  }

  /// Opens a session for an agent that has said Hello.
  package func openSession(_ hello: Hello) -> (SessionID, AgentChannel) {
    let session = callers.withLock { callers in
      callers.nextSession += 1
      return SessionID(callers.nextSession)
    }
    let channel = channels.open(session, of: hello.server)
    put(.sessionOpened(session, hello))
    return (session, channel)
  }

  /// Takes a message of an agent. When the machine cannot keep up the session is ended: the agent
  /// keeps its reports, comes back later and says them again.
  package func received(_ message: AgentMessage, from session: SessionID) {
    if case .probed(let answer) = message { return probes.answered(answer, from: session) }
    let waiting = backlog.load(ordering: .relaxed) + held.load(ordering: .relaxed)
    guard waiting < Limits.waitingInputs else {
      return channels.end(session, reason: "the daemon is overloaded")
    }
    put(.agentMessage(session, message))
  }

  package func closeSession(_ session: SessionID) {
    channels.forget(session)
    put(.sessionClosed(session))
  }

  /// Asks the agent of a server how the server is; changes nothing.
  /// - Parameter patience: Real time after which the agent counts as silent.
  package func probe(
    _ server: ServerName, _ updateSet: UpdateSet, within patience: Duration
  ) async -> ProbeOutcome {
    guard let session = channels.session(of: server) else { return .notConnected }
    let facts = await probes.ask(session, within: patience) { number in
      channels.send(.probe(Probe(number: number, updateSet: updateSet)), to: session)
    }
    return facts.map { .answered($0) } ?? .silent
  }

  /// Runs a hook function so that its reads are real and its writes are only logged, for a campaign
  /// that has not pinned a revision with the one of now.
  package func dryRun(_ order: HookOrder) async -> HookVerdict { await hooks.dryRun(order) }

  /// Whether the hooks of now have a function for a client.
  package func defines(_ point: HookPoint, _ client: ClientName) -> Bool {
    hooks.defines(point, client: client)
  }

  /// Campaigns that are started from now on pin this revision.
  package func hooksLoaded(revision: String) { put(.hooksLoaded(revision: revision)) }

  package var openSessions: Int { channels.count }
  package var campaignTime: Instant { clock.now }
  package var demoFactor: Int { clock.factor }

  // MARK: - The pump

  /// Runs until it is told to shut down; throws ``PumpError`` when the store cannot be trusted.
  package func run() async throws {
    alarm.onFire { [weak self] in self?.put(.timerFired) }
    guard var machine = machine.withLock({ $0.take() }) else {
      preconditionFailure("a pump runs once")
    }
    try await withGracefulShutdownHandler {
      try await withThrowingDiscardingTaskGroup { group in
        defer { close() }
        try perform(machine.wake(at: moment), in: &group)
        var isEnding = false
        for await next in inputs {
          if next == nil {
            isEnding = true
            machine.end()
          }
          try handle(next, with: &machine, in: &group)
          // A change whose commit runs may be durable already: its caller gets the answer.
          if isEnding, !machine.isCommitting { break }
        }
        // What is still running, hooks above all, starts again with the next daemon.
        group.cancelAll()
      }
    } onGracefulShutdown: { [input] in
      input.yield(nil)
    }
  }

  private func handle(
    _ next: ControlInput?, with machine: inout ControlMachine,
    in group: inout ThrowingDiscardingTaskGroup<any Error>
  ) throws {
    guard let next else { return }
    backlog.subtract(1, ordering: .relaxed)
    try perform(machine.handle(next, at: moment), in: &group)
    held.store(machine.backlog, ordering: .relaxed)
  }

  private var moment: Moment {
    Moment(campaign: clock.now, realMilliseconds: CampaignClock.realMilliseconds)
  }

  private func close() {
    alarm.set(nil)
    channels.endAll(reason: "the daemon is shutting down")
    tail.close()
    let waiting = callers.withLock { callers in
      callers.isClosed = true
      defer { callers.waiting = [:] }
      return callers.waiting
    }
    for continuation in waiting.values { continuation.resume(returning: .refused(.shuttingDown)) }
  }

  private func perform(
    _ actions: [ControlAction], in group: inout ThrowingDiscardingTaskGroup<any Error>
  ) throws {
    var toExpand: [WindowQuestion] = []
    for action in actions {
      switch action {
      case .commit(let batch): group.addTask { await self.commit(batch) }
      case .reply(let ticket, let reply):
        callers.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume(returning: reply)
      case .send(let session, let message): channels.send(message, to: session)
      case .endSession(let session, let reason): channels.end(session, reason: reason)
      case .startHook(let order):
        hooks.announce(order.ticket)
        group.addTask { await self.run(order) }
      case .cancelHook(let ticket): hooks.cancel(ticket)
      case .expandWindows(let client, let config, let narrowing, let question):
        toExpand.append(
          WindowQuestion(
            client: client, config: config, narrowing: narrowing, number: question))
      case .armTimer(let instant): alarm.set(instant.map(clock.realDelay(until:)))
      case .logGrew(let position): tail.grow(to: position)
      case .halt(let reason): throw PumpError.storeFailed(reason)
      }
    }
    if !toExpand.isEmpty {
      jumpToFirstWindow(of: toExpand.map(\.config))
      let expanding = toExpand
      group.addTask { self.expand(expanding) }
    }
  }

  private func commit(_ batch: Batch) async {
    do throws(StoreError) {
      try await store.commit(batch)
      put(.committed)
    } catch {
      put(.commitFailed(error))
    }
  }

  private func run(_ order: HookOrder) async {
    let (verdict, row) = await hooks.run(order)
    put(.hookFinished(order.ticket, verdict, row))
  }

  private func expand(_ questions: [WindowQuestion]) {
    let now = clock.now
    for question in questions {
      let narrowed = question.narrowing.map { own in
        var inItsZone = question.config
        inItsZone.windows = [own.windows]
        inItsZone.freezes = []
        return NarrowedWindows(campaign: own.campaign, windows: intervals(of: inItsZone, now))
      }
      put(
        .windowsExpanded(
          question.client, intervals(of: question.config, now), narrowed: narrowed,
          until: now + Limits.windowHorizon, question: question.number))
    }
  }

  private func intervals(of config: ClientConfig, _ now: Instant) -> [Interval] {
    do throws(WindowError) {
      return try WindowCalendar.intervals(
        client: config, from: now - Limits.windowPast, until: now + Limits.windowHorizon)
    } catch {
      // Imports and policies with such windows are refused; without one nothing is worked on.
      logger.error(
        "windows cannot be worked out",
        metadata: ["client": "\(config.name)", "error": "\(error)"])
      return []
    }
  }

  private func jumpToFirstWindow(of clients: [ClientConfig]) {
    guard firstWindow != .ignored, hasJumped.exchange(true, ordering: .relaxed) == false
    else { return }
    if firstWindow == .unlessOpen, WindowCalendar.isOpen(clients, at: clock.now) { return }
    guard let opening = try? WindowCalendar.firstOpening(of: clients, from: clock.now) else {
      return
    }
    clock.jump(to: opening)
    // What was due in the time between is due now, and the alarm was set by the old clock.
    put(.timerFired)
    logger.info("the rehearsal's clock begins at the first window", metadata: ["at": "\(opening)"])
  }

  private func put(_ next: ControlInput) {
    backlog.add(1, ordering: .relaxed)
    input.yield(next)
  }
}

/// When a client may be worked on, as the engine asks it.
private struct WindowQuestion: Sendable {
  var client: ClientID
  var config: ClientConfig
  var narrowing: [CampaignWindows]
  var number: UInt32
}

/// Whether a clock jumps to the first window of the fleet that windows are first worked out for.
package enum FirstWindow: Hashable, Sendable {
  /// The clock of real work, and one that was told where to begin.
  case ignored
  /// A rehearsal without a fleet: it begins with the first window of the first import.
  case awaited
  /// A rehearsal that goes on and has no campaign yet: only when its daemon was killed before it
  /// could jump.
  case unlessOpen
}

/// Why the pump had to stop.
package enum PumpError: Error, Hashable, Sendable, CustomStringConvertible {
  case storeFailed(String)

  package var description: String {
    switch self {
    case .storeFailed(let reason): "nothing can be committed any more: \(reason)"
    }
  }
}

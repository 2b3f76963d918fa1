import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasRuntime
import AtlasStore
import Logging
import ServiceLifecycle
import Synchronization
import Testing

@Suite struct `The pump` {
  @Test func `answers a change whose commit ends while the daemon goes down`() async throws {
    let store = GatedStore(try MemoryStore())
    let pump = try await Self.pump(store)
    let group = Self.group(pump)
    async let running: Void = group.run()
    async let answer = pump.call(Self.stop("first"))
    await store.commitBegan()
    await group.triggerGracefulShutdown()
    store.letCommitsEnd()
    guard case .answer(.stopped) = await answer else {
      Issue.record("the stop is durable, and its caller was told otherwise")
      return
    }
    try await running
    guard case .refused(.shuttingDown) = await pump.call(Self.stop("second")) else {
      Issue.record("a daemon that is gone took a command")
      return
    }
    #expect(try store.inner.load().meta?.lastSeq == 1)
  }

  @Test(arguments: CommitFault.allCases)
  func `ends when a commit fails, and answers nobody as if it had not`(
    fault: CommitFault
  ) async throws {
    let store = try MemoryStore()
    store.failNextCommit(fault)
    let pump = try await Self.pump(store)
    async let answer = pump.call(Self.stop("first"))
    await #expect(throws: PumpError.self) { try await pump.run() }
    guard case .refused(.shuttingDown) = await answer else {
      Issue.record("a stop that is not known to be durable was acknowledged")
      return
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func `a probe reaches the agent of a server, and its answer whoever asked`() async throws {
    let pump = try await Self.pump(try MemoryStore())
    let group = Self.group(pump)
    async let running: Void = group.run()
    do {
      try await Self.probe(pump)
    } catch {
      Issue.record(error)
    }
    await group.triggerGracefulShutdown()
    try await running
  }

  private static func probe(_ pump: ControlPump) async throws {
    let server = ServerName(trusted: "LAA-PARIS-WEB01")
    #expect(await pump.probe(server, UpdateSet(), within: .seconds(600)) == .notConnected)
    try await importOne(server, into: pump)
    let hello = Hello(server: server, agentVersion: "1", bootID: "b")
    let (session, channel) = pump.openSession(hello)
    var messages = channel.messages.makeAsyncIterator()
    guard case .welcome? = try await messages.next() else {
      throw ProbeFailure(what: "an agent is welcomed first")
    }
    let asking = Task { await pump.probe(server, UpdateSet(), within: .seconds(600)) }
    guard case .probe(let probe)? = try await messages.next() else {
      throw ProbeFailure(what: "the agent was not asked")
    }
    // What another agent says to it is not believed.
    let lie = ProbeAnswer(number: probe.number, facts: ServerFacts(freeDisk: 1))
    pump.received(.probed(lie), from: SessionID(session.number + 1))
    let facts = ServerFacts(freeDisk: 2)
    pump.received(.probed(ProbeAnswer(number: probe.number, facts: facts)), from: session)
    #expect(await asking.value == .answered(facts))
    #expect(await pump.probe(server, UpdateSet(), within: .milliseconds(1)) == .silent)
    pump.closeSession(session)
    #expect(await pump.probe(server, UpdateSet(), within: .seconds(600)) == .notConnected)
  }

  private struct ProbeFailure: Error { var what: String }

  private static func importOne(_ server: ServerName, into pump: ControlPump) async throws {
    let client = ClientName(trusted: "LAA")
    let fleet = Change.importFleet(
      clients: [ClientConfig(name: client)],
      servers: [ServerConfig(name: server, client: client, site: SiteName(trusted: "PARIS"))])
    let caller = Caller(principal: "kim", method: "ImportFleet")
    guard case .answer = await pump.call(.change(fleet, caller)) else {
      throw ProbeFailure(what: "the fleet was not imported")
    }
  }

  private static func group(_ pump: ControlPump) -> ServiceGroup {
    ServiceGroup(
      configuration: .init(
        services: [.init(service: pump)],
        logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
  }

  private static func stop(_ reason: String) -> ControlRequest {
    .change(.stop(nil, reason: reason), Caller(principal: "kim", method: "EmergencyStop"))
  }

  private static func pump(_ store: any Store) async throws -> ControlPump {
    let machine = try ControlMachine(
      stored: try await store.load(), floors: ControlState.Floors(),
      configuration: ControlMachine.Configuration(
        daemonVersion: "test", demoFactor: 1, checkInterval: .seconds(120),
        hash: { bytes in (0..<32).map { UInt8(truncatingIfNeeded: bytes.count &+ $0) } },
        encode: { _, _ in [] }))
    return ControlPump(
      machine: machine, store: store, hooks: NoHooks(),
      clock: CampaignClock(factor: 1, start: nil), firstWindow: .ignored,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
  }
}

private struct NoHooks: HookPort {
  func announce(_ ticket: HookTicket) {}
  func run(_ order: HookOrder) async -> (HookVerdict, HookRunRow?) { (.notDefined, nil) }
  func cancel(_ ticket: HookTicket) {}
  func dryRun(_ order: HookOrder) async -> HookVerdict { .notDefined }
  func defines(_ point: HookPoint, client: ClientName) -> Bool { false }
}

/// A store whose commits wait until a test lets them end.
private final class GatedStore: Store {
  let inner: MemoryStore
  private let began = AsyncStream<Void>.makeStream()
  private let gate = AsyncStream<Void>.makeStream()

  init(_ inner: MemoryStore) { self.inner = inner }

  /// Returns once a commit waits.
  func commitBegan() async { for await _ in began.stream { return } }
  func letCommitsEnd() { gate.continuation.finish() }

  func commit(_ batch: Batch) async throws(StoreError) {
    began.continuation.yield()
    for await _ in gate.stream {}
    try inner.commit(batch)
  }

  func load() async throws(StoreError) -> StoredState { try inner.load() }
  func records(
    after seq: UInt64, limit: Int, filter: RecordFilter
  ) async throws(StoreError) -> [LogRecord] {
    try inner.records(after: seq, limit: limit, filter: filter)
  }
  func records(
    before seq: UInt64?, limit: Int, filter: RecordFilter
  ) async throws(StoreError) -> [LogRecord] {
    try inner.records(before: seq, limit: limit, filter: filter)
  }
  func hookRuns(
    after id: Int64, limit: Int, filter: RecordFilter
  ) async throws(StoreError) -> [(id: Int64, row: HookRunRow)] {
    try inner.hookRuns(after: id, limit: limit, filter: filter)
  }
  func hookRuns(
    before id: Int64?, limit: Int, filter: RecordFilter
  ) async throws(StoreError) -> [(id: Int64, row: HookRunRow)] {
    try inner.hookRuns(before: id, limit: limit, filter: filter)
  }
  func hookTotals(campaign: String) async throws(StoreError) -> HookTotals {
    try inner.hookTotals(campaign: campaign)
  }
  func keyValue(client: String, key: String) async throws(StoreError) -> [UInt8]? {
    try inner.keyValue(client: client, key: key)
  }
  func setKeyValue(
    client: String, key: String, to value: [UInt8]?, if condition: KeyValueCondition
  ) async throws(StoreError) -> Bool {
    try inner.setKeyValue(client: client, key: key, to: value, if: condition)
  }
  func close() async throws(StoreError) { try inner.close() }
}

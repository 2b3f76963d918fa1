import AtlasEngine
import AtlasModel
import AtlasStore

@testable import AtlasControl

/// A control machine over a fleet of one client with two servers, and everything that came out.
struct Desk {
  var machine: ControlMachine
  var now = Instant(milliseconds: 1_000_000)
  private(set) var actions: [ControlAction] = []
  private var ticket: UInt64 = 0

  static let client = ClientName(trusted: "LAA")
  static let first = ServerName(trusted: "LAA-PARIS-WEB01")
  static let second = ServerName(trusted: "LAA-PARIS-WEB02")
  static let campaign = CampaignName(trusted: "nov")

  init(
    stored: StoredState = StoredState(), openings: WindowOpenings? = nil
  ) throws {
    var configuration = ControlMachine.Configuration(
      daemonVersion: "test", demoFactor: 1, checkInterval: .seconds(120),
      hash: { bytes in
        // Any function will do here, as long as every byte counts.
        let sum = bytes.reduce(UInt64(14_695_981_039_346_656_037)) {
          ($0 ^ UInt64($1)) &* 1_099_511_628_211
        }
        return (0..<32).map { UInt8(truncatingIfNeeded: sum >> UInt64(($0 % 8) * 8)) &+ UInt8($0) }
      },
      encode: { method, _ in Array(method.utf8) })
    if let openings { configuration.openings = { _, _, _ in openings } }
    machine = try ControlMachine(
      stored: stored, floors: ControlState.Floors(), configuration: configuration)
  }

  /// Takes one input; nothing is committed by itself.
  mutating func take(_ input: ControlInput) {
    actions += machine.handle(
      input, at: Moment(campaign: now, realMilliseconds: now.milliseconds))
  }

  /// Sets a machine that was loaded going, and answers what it asks first.
  mutating func wake(answering: Bool = true) {
    actions += machine.wake(at: Moment(campaign: now, realMilliseconds: now.milliseconds))
    let all = Interval(start: Instant(milliseconds: 0), end: Instant(milliseconds: 1 << 50))
    for index in machine.state.clients.indices where answering {
      take(.windowsExpanded(ClientID(index), [all], until: all.end, question: 1))
    }
  }

  /// Asks, and says under which ticket.
  @discardableResult
  mutating func ask(_ change: Change, id: String = "", content: UInt8 = 0) -> RequestTicket {
    ticket += 1
    let caller = Caller(
      principal: "kim", method: "Method", requestID: id, contentHash: [content])
    take(.request(RequestTicket(ticket), .change(change, caller)))
    return RequestTicket(ticket)
  }

  mutating func ask(_ read: Read) -> RequestTicket {
    ticket += 1
    take(.request(RequestTicket(ticket), .read(read)))
    return RequestTicket(ticket)
  }

  /// Everything that came out since the last time, in order.
  mutating func drain() -> [ControlAction] {
    defer { actions = [] }
    return actions
  }

  /// Ends commits until none runs; gives the batches.
  mutating func commitAll() -> [Batch] {
    var batches: [Batch] = []
    while let batch = pending {
      batches.append(batch)
      actions.removeAll { if case .commit = $0 { true } else { false } }
      take(.committed)
    }
    return batches
  }

  private var pending: Batch? {
    for case .commit(let batch) in actions { return batch }
    return nil
  }

  /// The state as plans and reports get it.
  var snapshot: ControlSnapshot {
    ControlSnapshot(
      state: machine.state, now: now, demoFactor: 1, lastSeq: machine.logPosition)
  }

  /// A fleet that is always in its window and needs no backup, imported and committed.
  mutating func importFleet() -> [Batch] {
    let config = ClientConfig(
      name: Self.client, ring: .canary, requireBackup: false, createSnapshots: false)
    let site = SiteName(trusted: "PARIS")
    ask(
      .importFleet(
        clients: [config],
        servers: [Self.first, Self.second].map {
          ServerConfig(name: $0, client: Self.client, site: site)
        }))
    let batches = commitAll()
    let all = Interval(start: Instant(milliseconds: 0), end: Instant(milliseconds: 1 << 50))
    take(.windowsExpanded(ClientID(0), [all], until: all.end, question: 1))
    return batches + commitAll()
  }

  static func hello(_ server: ServerName, reports: [CommandReport] = []) -> Hello {
    Hello(server: server, agentVersion: "1", bootID: "b", reports: reports)
  }
}

extension [ControlAction] {
  /// The answer under a ticket; nil when it has not been given.
  func reply(_ ticket: RequestTicket) -> ControlReply? {
    for case .reply(ticket, let reply) in self { return reply }
    return nil
  }

  /// What was sent through a session, in order.
  func sent(_ session: SessionID) -> [DaemonMessage] {
    compactMap {
      if case .send(session, let message) = $0 { message } else { nil }
    }
  }

  var commits: Int { count { if case .commit = $0 { true } else { false } } }
}

import AtlasEngine
import AtlasModel

/// What a store would hold of the engine's state if the daemon died now: only what the engine asked
/// to save, as it was when it asked.
package struct EngineStore: Sendable {
  private var fleetVersion: UInt64 = 0
  private var ringNames: [RingName] = []
  private var stop: StopLatch?
  private var contact: ContactHold?
  private var histories: [KindHistory] = []
  private var plans: [(campaign: CampaignID, plan: KeptPlan)] = []
  private var earlier: [CampaignID: [EarlierPolicy]] = [:]
  private var clients: [StoredClient] = []
  private var servers: [StoredServer] = []
  private var campaigns: [StoredCampaign] = []
  /// Commands that have not been acknowledged, lowest fence first.
  package private(set) var outbox: [Outgoing] = []

  package struct Outgoing: Hashable, Sendable {
    package var server: ServerID
    package var command: Command
    /// Handed to the session that is open.
    package var isSent = false
  }

  package init() {}

  /// Keeps what one step asks to save; as a commit does, with the values after the step.
  package mutating func apply(_ effects: [Effect], of state: ControlState) {
    for effect in effects {
      switch effect {
      case .save(let item): save(item, of: state)
      case .command(_, let server, let command):
        outbox.append(Outgoing(server: server, command: command))
        lastCommand = command
      case .withdraw(let fence): outbox.removeAll { $0.command.fence == fence }
      case .record, .cancelCommand, .tellStop, .acknowledge, .startHook, .cancelHook,
        .expandWindows:
        break
      }
    }
  }

  /// The newest command that was ever put into the outbox, whether or not it is there still.
  package private(set) var lastCommand: Command?

  package mutating func markSent(_ fence: Fence, _ isSent: Bool = true) {
    for index in outbox.indices where outbox[index].command.fence == fence {
      outbox[index].isSent = isSent
    }
  }

  private mutating func save(_ item: Effect.Item, of state: ControlState) {
    switch item {
    case .control:
      fleetVersion = state.fleetVersion
      ringNames = state.ringNames
      stop = state.stop
      contact = state.contact
    case .client(let id):
      let client = state[client: id]
      let row = StoredClient(
        config: client.config, paused: client.paused, stop: client.stop, outage: client.outage,
        version: client.version, postponed: client.postponed, dark: client.dark)
      put(row, at: Int(id.index), in: &clients)
    case .server(let id):
      let server = state[server: id]
      let row = StoredServer(
        config: server.config, locked: server.locked, retired: server.retired,
        dismissed: server.dismissed,
        agentVersion: server.agentVersion, version: server.version,
        silentSince: server.silentSince, awaitedSince: server.awaitedSince,
        countedSince: server.countedSince)
      put(row, at: Int(id.index), in: &servers)
    case .campaign(let id): saveCampaign(id, of: state)
    case .history(let place): put(state.histories[place], at: place, in: &histories)
    case .plan(let id):
      if let plan = state[campaign: id].plan { plans.append((id, plan)) }
    case .earlierPolicy(let id, let place):
      put(state[campaign: id].earlier[place], at: place, in: &earlier[id, default: []])
    case .run(let ref):
      put(state[ref], at: Int(ref.index), in: &campaigns[Int(ref.campaign.index)].runs)
    }
  }

  private mutating func saveCampaign(_ id: CampaignID, of state: ControlState) {
    let campaign = state[campaign: id]
    let index = Int(id.index)
    let runs = campaigns.indices.contains(index) ? campaigns[index].runs : []
    // They have rows of their own.
    var header = campaign
    header.restore(earlier: [])
    let row = StoredCampaign(
      header: header, lanes: campaign.lanes.map { (client: $0.client, ring: $0.ring) },
      rings: campaign.rings.map(StoredRing.init), runs: runs)
    put(row, at: index, in: &campaigns)
  }

  private func put<Row>(_ row: Row, at index: Int, in rows: inout [Row]) {
    if index < rows.count { rows[index] = row } else { rows.append(row) }
  }

  /// What a daemon that starts now would load.
  package func stored(fence: Fence) -> StoredControl {
    var control = StoredControl()
    control.fence = fence
    control.fleetVersion = fleetVersion
    control.ringNames = ringNames
    control.stop = stop
    control.contact = contact
    control.histories = histories
    control.plans = plans
    control.clients = clients
    control.servers = servers
    control.campaigns = campaigns
    for (id, policies) in earlier {
      control.campaigns[Int(id.index)].header.restore(earlier: policies)
    }
    return control
  }
}

extension EngineStore {
  /// Where the state differs from what would be loaded: a save that was forgotten, or a counter
  /// that is wrong. Empty when there is no difference.
  package func differences(from state: ControlState) -> [String] {
    let loaded = ControlState(stored: stored(fence: state.fence), floors: state.floors)
    var found: [String] = []
    if loaded.stop != state.stop { found.append("stop is not saved") }
    if !state.contact.isSame(loaded.contact) { found.append("contact is not saved") }
    found += state.resourceDifferences(from: loaded)
    if loaded.histories != state.histories || loaded.estimatesVersion != state.estimatesVersion {
      found.append("histories are not saved")
    }
    if loaded.ringNames != state.ringNames { found.append("ringNames are not saved") }
    if loaded.fleetVersion != state.fleetVersion { found.append("fleetVersion is not saved") }
    for index in state.clients.indices { compare(loaded, state, client: index, &found) }
    for index in state.servers.indices { compare(loaded, state, server: index, &found) }
    guard loaded.campaigns.count == state.campaigns.count else {
      return found + ["a campaign is not saved"]
    }
    for index in state.campaigns.indices {
      compare(loaded.campaigns[index], state.campaigns[index], &found)
    }
    return found
  }

  private func compare(
    _ loaded: ControlState, _ state: ControlState, client index: Int, _ found: inout [String]
  ) {
    guard index < loaded.clients.count else { return found.append("client \(index) is missing") }
    let (left, right) = (loaded.clients[index], state.clients[index])
    if left.config != right.config || left.paused != right.paused || left.stop != right.stop
      || left.version != right.version || left.postponed != right.postponed
      || !left.dark.isSame(right.dark) || left.outage != right.outage
    {
      found.append("client \(right.config.name) is not saved")
    }
    if left.reserved != right.reserved {
      found.append(
        "client \(right.config.name): \(right.reserved) slots reserved, \(left.reserved) counted")
    }
    if left.slotsInUse != right.slotsInUse {
      found.append(
        "client \(right.config.name): \(right.slotsInUse) slots in use, \(left.slotsInUse) counted")
    }
  }

  private func compare(
    _ loaded: ControlState, _ state: ControlState, server index: Int, _ found: inout [String]
  ) {
    guard index < loaded.servers.count else { return found.append("server \(index) is missing") }
    let (left, right) = (loaded.servers[index], state.servers[index])
    if left.config != right.config || left.locked != right.locked
      || left.retired != right.retired || left.agentVersion != right.agentVersion
      || left.version != right.version || left.dismissed != right.dismissed
      || Set(left.kept) != Set(right.kept) || left.silentSince != right.silentSince
      || left.awaitedSince != right.awaitedSince || left.countedSince != right.countedSince
    {
      found.append("server \(right.config.name) is not saved")
    }
  }

  private func compare(_ left: Campaign, _ right: Campaign, _ found: inout [String]) {
    let name = right.name
    if left.state != right.state || left.pauses != right.pauses
      || left.heldLanes != right.heldLanes || left.startedAt != right.startedAt
      || left.endedAt != right.endedAt || left.endsAt != right.endsAt
      || left.startNumber != right.startNumber || left.hookRevision != right.hookRevision
      || left.version != right.version || left.updateSet != right.updateSet
      || left.safety != right.safety || left.plan != right.plan || left.policy != right.policy
      || left.overrides != right.overrides
    {
      found.append("campaign \(name) is not saved")
    }
    if left.earlier.map(\.until) != right.earlier.map(\.until)
      || left.earlier.map(\.policy) != right.earlier.map(\.policy)
      || left.earlier.map(\.overrides) != right.earlier.map(\.overrides)
    {
      found.append("earlier policies of \(name) are not saved")
    }
    if left.rings != right.rings {
      found.append("rings of \(name) differ: \(right.rings), counted \(left.rings)")
    }
    if left.counts != right.counts {
      found.append("counts of \(name) differ: \(right.counts), counted \(left.counts)")
    }
    // A run that is started anew leaves the sample of the running one smaller.
    if !Set(right.sample).isSubset(of: left.sample) {
      found.append("\(name) samples \(right.sample), counted \(left.sample)")
    }
    if left.activeLanes != right.activeLanes {
      found.append("\(name): \(right.activeLanes) active lanes, counted \(left.activeLanes)")
    }
    if left.runs.count != right.runs.count { return found.append("a run of \(name) is not saved") }
    for index in right.runs.indices
    where left.runs[index].persistent != right.runs[index].persistent {
      found.append(
        "run \(index + 1) of \(name) is not saved:\n    has   \(right.runs[index].persistent)"
          + "\n    saved \(left.runs[index].persistent)")
    }
    for index in right.lanes.indices {
      compare(left.lanes[index], right.lanes[index], "lane \(index) of \(name)", &found)
      if left.bad(index) != right.bad(index) {
        found.append("lane \(index) of \(name) has \(right.bad(index)) bad, \(left.bad(index))")
      }
    }
  }

  private func compare(_ left: Lane, _ right: Lane, _ name: String, _ found: inout [String]) {
    if left.queue != right.queue {
      found.append("\(name) queues \(right.queue), saved \(left.queue)")
    }
    if left.active.sorted() != right.active.sorted() {
      found.append("\(name) has active \(right.active), counted \(left.active)")
    }
    if left.open != right.open || left.started != right.started {
      found.append("\(name) is open \(right.open), counted \(left.open)")
    }
  }
}

extension ContactHold? {
  /// Who is missing is another matter after a restart.
  fileprivate func isSame(_ other: ContactHold?) -> Bool {
    self?.since == other?.since && self?.sessions == other?.sessions
  }
}

extension Campaign {
  /// Runs of a lane that count against its breaker.
  fileprivate func bad(_ lane: Int) -> [Int32] {
    lanes[lane].troubled.filter { runs[Int($0)].state.kind.isBad }.sorted()
  }
}

extension Run {
  /// This run without what a daemon that starts finds out again.
  fileprivate var persistent: Run {
    var run = self
    run.quietDeadline = nil
    run.silenceDeadline = nil
    if run.command?.delivery == .queued { run.command?.delivery = .sent }
    run.command?.lastSeq = 0
    return run
  }
}

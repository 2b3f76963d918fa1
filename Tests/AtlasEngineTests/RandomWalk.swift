import AtlasEngine
import AtlasModel
import AtlasTestKit

/// A night in which anything may happen, drawn from a seed: troubled agents and hooks, people who
/// stop, pause, cancel, resolve and retry, silences, duplicates, and daemons that die.
///
/// Each seed has its own mixture of these, and leaves some out: a night that is full of stops gets
/// to other places than one that is full of everything.
struct RandomWalk {
  private(set) var world: EngineWorld
  private var random: EngineRandom
  /// What disturbs this night; a disturbance that is there twice is twice as frequent.
  private let mixture: [Disturbance]

  private enum Disturbance: CaseIterable {
    case crash, flap, surprise, stop, pause, cancel, promote, resolve, skip, retry, lock, retire
    case exclude, repeatReport, wait, postpone, blackout, source, release, waive
    case dismiss, outage, approve, rollBack, edit

    /// How frequent it is where it is present: what ends things early is rare.
    var weights: [Int] {
      switch self {
      case .crash, .pause, .repeatReport: [2, 6]
      case .flap, .stop, .resolve: [6, 12, 40]
      case .surprise, .skip, .retry, .lock, .exclude, .wait, .dismiss, .outage, .approve:
        [2, 4, 10]
      case .postpone, .blackout, .source, .release, .waive, .rollBack, .edit: [1, 2, 6]
      case .cancel, .promote, .retire: [1, 1, 4]
      }
    }
  }

  /// The walk stays within these days; the windows go on for long after them.
  private static let lastDay = EngineFleet.start + .seconds(6 * 86_400)

  init(seed: UInt64) {
    random = EngineRandom(seed: seed)
    mixture = Self.mixture(&random)
    world = EngineWorld(Self.fleet(&random))
    world.script.chaos = EngineChaos(seed: random.next(), trouble: random.pick([0, 10, 25, 50]))
    world.script.guestsFollow = random.pick([nil, .seconds(30), .seconds(300), .seconds(2_000)])
    if random.chance(60) {
      world.script.answer(.enterMaintenance, with: .ok)
      world.script.answer(.leaveMaintenance, with: .ok)
    }
    world.latency = random.pick([.zero, .seconds(1), .seconds(20)])
  }

  private static func mixture(_ random: inout EngineRandom) -> [Disturbance] {
    let presence = random.pick([30, 60, 100])
    let present = Disturbance.allCases.filter { _ in random.chance(presence) }
    return [.flap]
      + present.flatMap { Array(repeating: $0, count: random.pick($0.weights)) }
  }

  private static func fleet(_ random: inout EngineRandom) -> EngineFleet {
    var fleet = EngineFleet()
    let rings: [Ring] = [.canary, .canary, .pilot]
    for (index, name) in ["LAA", "MRB", "OVH"].enumerated() {
      let servers = ["WEB01", "APP01", "SQL01", "DC01"].prefix(random.number(1...4))
      let backup = random.chance(70)
      let snapshots = random.chance(70)
      let hours = random.pick([3, 8])
      let age = random.pick([BackupAge.atMost(.seconds(86_400)), .sinceLastJob])
      fleet.add(
        name, ring: rings[index], slots: random.pick([1, 1, 2]),
        servers: servers.map { "\(name)-PARIS-\($0)" },
        windows: (0..<30).map { EngineFleet.night($0, hours: hours) }
      ) {
        $0.requireBackup = backup
        $0.createSnapshots = snapshots
        $0.maxBackupAge = age
      }
      for server in servers where random.chance(30) {
        let shared = random.pick(["SAN", "PROXY"])
        fleet.change("\(name)-PARIS-\(server)") { $0.resources = [ResourceName(trusted: shared)] }
      }
      order(servers.map { "\(name)-PARIS-\($0)" }, in: &fleet, &random)
    }
    addHost(to: &fleet, &random)
    return fleet
  }

  /// In some nights a host of the last client has guests, of others as well; in some a server
  /// carries Atlas.
  private static func addHost(to fleet: inout EngineFleet, _ random: inout EngineRandom) {
    if random.chance(40) {
      let host = "OVH-PARIS-HV01"
      let migrates = random.chance(30)
      fleet.add(to: "OVH", server: host)
      fleet.change(host) { $0.migratesGuests = migrates }
      for server in fleet.servers.map(\.name.text) where server != host && random.chance(40) {
        fleet.change(server) { $0.host = ServerName(trusted: host) }
      }
    }
    guard random.chance(20) else { return }
    fleet.change(random.pick(fleet.servers.map(\.name.text))) { $0.carriesAtlas = true }
  }

  /// Some servers come after others, and some are of a group.
  private static func order(
    _ servers: [String], in fleet: inout EngineFleet, _ random: inout EngineRandom
  ) {
    for (index, server) in servers.enumerated() {
      let earlier = servers.prefix(index)
      let after = earlier.filter { _ in random.chance(20) }
      let isGrouped = random.chance(25)
      fleet.change(server) {
        $0.after = after.map { ServerName(trusted: $0) }
        $0.antiAffinity = isGrouped ? GroupName(trusted: "nodes") : nil
      }
    }
  }

  private static func policy(_ random: inout EngineRandom) -> Policy {
    var policy = Policy()
    policy.maxRetries = random.number(0...2)
    policy.autoRollback = random.chance(80)
    policy.onFailure = random.chance(80) ? .continueIfHealthy : .hold
    policy.serverSoak = random.pick([.zero, .seconds(600)])
    policy.pendingReboot = random.pick([.rebootFirst, .refuse])
    policy.maxInProgress = random.pick([nil, nil, 2])
    policy.maxActiveClients = random.pick([nil, nil, nil, 1])
    policy.maxStartsPerMinute = random.pick([nil, nil, 1])
    policy.maxWaitingForPeople = random.pick([nil, nil, 0, 2])
    policy.maxPasses = random.pick([1, 2, 4, 4])
    policy.carryOver = random.chance(50)
    if random.chance(15) { policy.minAgentVersion = AgentVersion("1.0.1") }
    policy.peerCheck = random.pick([[], [Role(trusted: "DC")]])
    policy.minAvailable = random.pick([nil, nil, 50, 90])
    policy.maxBackupAge = random.pick([nil, .sinceLastJob, .atMost(.seconds(12 * 3_600))])
    policy.download = random.pick([.off, .beforeWindow])
    policy.gates = [
      RingGate(
        ring: .canary, openAfter: random.pick([.sample, .complete]), minCompleted: 1,
        maxFailed: random.number(0...2), gateSoak: random.pick([.zero, .seconds(1_800)]),
        approval: random.pick([.auto, .auto, .manual]))
    ]
    if random.chance(50) { policy.gates[0].representative = false }
    policy.breakers = breakers(&random)
    policy.perSite = random.pick([nil, nil, 1])
    policy.snapshotRetention = random.pick([.zero, .seconds(3_600), .seconds(86_400)])
    if random.chance(40) {
      policy.resources = ["PROXY", "SAN"].map {
        ResourceLimit(name: ResourceName(trusted: $0), limit: random.number(1...2))
      }
    }
    if random.chance(50) { policy.roleRollback = [] }
    return policy
  }

  private static func breakers(_ random: inout EngineRandom) -> Breakers {
    var breakers = random.chance(40) ? Breakers() : .off
    if random.chance(30) { breakers.maxFailedPerClient = random.number(1...2) }
    if random.chance(30) { breakers.successRate = random.pick([50, 80]) }
    breakers.sample = random.number(1...6)
    if random.chance(40) { breakers.signatureClients = random.number(1...2) }
    if random.chance(40) { breakers.sourceClients = random.number(1...2) }
    if random.chance(40) { breakers.sourceServers = random.number(1...2) }
    return breakers
  }

  /// Walks `steps` steps through one or two campaigns, then lets every trouble end.
  /// - Returns: what was found wrong.
  mutating func walk(steps: Int) -> [String] {
    world.comparesEvery = 7
    let end = random.pick([
      nil, EngineFleet.night(1).end, EngineFleet.start + random.seconds(1_800...20_000),
    ])
    world.campaign("patch-11", policy: Self.policy(&random), selection: selection(0), endsAt: end)
    if random.chance(30) {
      world.campaign("sql-cu", policy: Self.policy(&random), selection: selection(1))
    }
    let disturbances = random.pick([2, 8, 20])
    for _ in 0..<steps where world.violations.isEmpty && !isOver {
      if random.chance(disturbances) { disturb() } else { goOn() }
    }
    if world.violations.isEmpty { settle() }
    return world.violations
  }

  private mutating func selection(_ campaign: Int) -> Selection {
    // Two campaigns never share a server, and compete for the slots of their clients.
    let all = world.state.servers.map(\.config.name)
    return Selection(
      servers: all.enumerated().filter {
        $0.offset % 2 == campaign || campaign == 0 && all.count < 2
      }
      .map(\.element))
  }

  private mutating func goOn() {
    guard let next = world.next, next < Self.lastDay else { return }
    world.run(for: max(.zero, next - world.now))
  }

  private mutating func disturb() {
    switch random.pick(mixture) {
    case .crash:
      world.crash()
      if random.chance(80) { connectAll() }
    case .flap: flap()
    case .surprise: surpriseAgent()
    case .stop: stopOrRelease()
    case .pause: pauseOrResume()
    case .cancel: attempt(.cancelCampaign(campaign(), reason: "enough", by: "anna"))
    case .promote: attempt(.promoteRing(campaign(), .pilot, reason: "it is fine", by: "anna"))
    case .resolve: resolve()
    case .skip: attempt(.skipRun(run(), reason: "not this one", by: "anna"))
    case .retry: attempt(.retryRun(run(), reason: "once more", by: "anna"))
    case .lock: lockOrUnlock()
    case .retire: attempt(.retireServer(server(), reason: "scrapped", by: "anna"))
    case .exclude: exclude()
    case .repeatReport: repeatReport()
    case .postpone: postponeOrResume()
    case .blackout: endContact()
    case .source: world.script.chaos?.isSourceDown.toggle()
    case .release: release(campaign())
    case .waive:
      attempt(
        .waiveRepresentative(
          campaign(), random.pick([nil, Role(trusted: "SQL")]),
          system: random.pick([nil, "windows-2022"]), reason: "known", by: "anna"))
    case .dismiss: dismissOrRecall()
    case .outage: declareOrEndOutage()
    case .approve: attempt(.approveRun(run(), reason: "I am here", by: "anna"))
    case .rollBack: rollBack()
    case .edit: world.edit(ifAllowed: campaign(), to: Self.policy(&random))
    case .wait: if world.now < Self.lastDay { world.run(for: random.seconds(60...20_000)) }
    }
  }

  private mutating func attempt(_ event: Event) {
    let before = world.state.fence
    do { try world.obey(event) } catch { precondition(before == world.state.fence) }
  }

  /// Starts the newest draft, or makes one that undoes a campaign.
  private mutating func rollBack() {
    if let draft = world.state.campaigns.lastIndex(where: { $0.state == .draft }) {
      return attempt(
        .startCampaign(CampaignID(draft), ifMatch: nil, hookRevision: "r1", by: "anna"))
    }
    guard world.state.campaigns.count < 5 else { return }
    var policy = Self.policy(&random)
    policy.rollback = random.pick([.snapshot, .uninstall])
    let name = "undo-\(world.state.campaigns.count)"
    world.draft(ifAllowed: name, policy: policy, rollbackOf: campaign())
  }

  private mutating func server() -> ServerID {
    ServerID(random.number(0...world.state.servers.count - 1))
  }

  private mutating func client() -> ClientID {
    ClientID(random.number(0...world.state.clients.count - 1))
  }

  private mutating func campaign() -> CampaignID {
    CampaignID(random.number(0...world.state.campaigns.count - 1))
  }

  private mutating func run() -> RunRef {
    let campaign = campaign()
    return RunRef(
      campaign: campaign, index: random.number(0...world.state[campaign: campaign].runs.count - 1))
  }

  private mutating func flap() {
    let server = server()
    if world.agents[Int(server.index)].isConnected {
      world.disconnect(server)
    } else {
      world.connect(server)
    }
  }

  private mutating func connectAll() {
    for index in world.agents.indices where random.chance(90) { world.connect(ServerID(index)) }
  }

  private mutating func surpriseAgent() {
    let name = world.agents[Int(server().index)].name.text
    switch random.number(0...9) {
    case 0...1:
      world.disconnect(name)
      world.change(name) { $0.loseJournal() }
      world.connect(name)
    case 2...3:
      world.disconnect(name)
      world.change(name) { $0.loseReports() }
      world.connect(name)
    case 4: world.change(name) { $0.version = "1.0.1" }
    case _: world.change(name) { $0.isDeaf.toggle() }
    }
  }

  private mutating func stopOrRelease() {
    let scope = random.chance(50) ? nil : client()
    if random.chance(60) {
      attempt(.stop(scope, reason: "smoke", by: "anna"))
    } else {
      attempt(.releaseStop(scope, reason: "false alarm", by: "anna"))
      if random.chance(70) { resumeAll() }
    }
  }

  private mutating func pauseOrResume() {
    switch random.number(0...5) {
    case 0: attempt(.pauseCampaign(campaign(), scope(), reason: "wait", by: "anna"))
    case 1: attempt(.pauseClient(client(), reason: "month end", by: "anna"))
    case 2: attempt(.resumeClient(client(), by: "anna"))
    case _:
      attempt(.resumeCampaign(campaign(), scope(), now: random.chance(30), by: "anna"))
    }
  }

  private mutating func postponeOrResume() {
    guard random.chance(70) else { return attempt(.resumeClient(client(), by: "anna")) }
    let until = random.pick([nil, world.now + random.seconds(60...40_000)])
    attempt(.postponeClient(client(), until: until, reason: "month end", by: "anna"))
  }

  /// The line of a client, or of the provider, is cut; whoever is there comes back some time.
  private mutating func endContact() {
    let client = random.chance(50) ? nil : client()
    let hit = world.state.servers.indices.filter {
      world.agents[$0].isConnected
        && client ?? world.state.servers[$0].client
          == world.state.servers[$0].client
    }
    for index in hit { world.disconnect(ServerID(index)) }
    world.run(for: random.pick([.seconds(10), .seconds(900), .seconds(1_800), .seconds(7_200)]))
    for index in hit where random.chance(90) { world.connect(ServerID(index)) }
  }

  private mutating func release(_ id: CampaignID) {
    for held in world.state[campaign: id].safety.held {
      attempt(.releaseSignature(id, held.kind, reason: "understood", by: "bruno"))
    }
  }

  private mutating func scope() -> PauseScope {
    switch random.number(0...2) {
    case 0: .all
    case 1: .ring(random.pick([.canary, .pilot]))
    case _: .client(client())
    }
  }

  private mutating func resolve() {
    let held = world.state.campaigns.indices.flatMap { index in
      world.state.campaigns[index].runs.indices
        .map { RunRef(campaign: CampaignID(index), index: $0) }
        .filter { world.state[$0].state.kind == .held }
    }
    guard !held.isEmpty else { return goOn() }
    let ref = random.pick(held)
    if random.chance(30) { attempt(.claimRun(ref, by: random.pick(["anna", "bruno"]))) }
    let decision = random.pick(Decision.allCases)
    attempt(
      .resolveRun(
        ref, decision, version: world.state[ref].version, reason: "looked at it", by: "bruno"))
  }

  private mutating func lockOrUnlock() {
    let server = server()
    if random.chance(60) {
      let until = random.chance(50) ? nil : world.now + random.seconds(60...10_000)
      let latch = Latch(
        reason: "vendor works on it", principal: "anna", since: world.now, until: until)
      attempt(.lockServer(server, latch))
    } else {
      attempt(.unlockServer(server, by: "anna"))
    }
  }

  private mutating func dismissOrRecall() {
    let server = server()
    if random.chance(70) {
      attempt(.dismissServer(server, reason: "it is in the workshop", by: "anna"))
    } else {
      attempt(.recallServer(server, by: "anna"))
    }
  }

  private mutating func declareOrEndOutage() {
    let client = client()
    guard random.chance(70) else { return attempt(.endOutage(client, by: "anna")) }
    let from = world.now + random.pick([.zero, .seconds(600)])
    let outage = Outage(
      from: from, until: from + random.seconds(600...30_000),
      parallel: random.pick([nil, nil, 2, 3]), reason: "the shop is closed", principal: "anna",
      declaredAt: world.now)
    attempt(.declareOutage(client, outage))
  }

  private mutating func exclude() {
    let update = UpdateID(trusted: random.pick(["KB5031364", "KB890830"]))
    attempt(.excludeUpdate(campaign(), update, reason: "bad", by: "anna"))
  }

  /// Says something once more that was said before, and compares: nothing may change (S11).
  private mutating func repeatReport() {
    let agent = world.agents[Int(server().index)]
    guard agent.isConnected, let report = agent.orders.flatMap(\.reports).last else { return }
    world.repeatReport(agent.server, report)
    let before = world.state.fence
    world.repeatReport(agent.server, report)
    precondition(before == world.state.fence)
  }

  private mutating func resumeAll() {
    for index in world.state.campaigns.indices {
      for pause in world.state.campaigns[index].pauses {
        attempt(.resumeCampaign(CampaignID(index), pause.scope, now: true, by: "anna"))
      }
      for held in world.state.campaigns[index].heldLanes {
        attempt(.resumeCampaign(CampaignID(index), .client(held.client), now: true, by: "anna"))
      }
    }
    for index in world.state.clients.indices
    where world.state.clients[index].paused != nil || world.state.clients[index].postponed != nil {
      attempt(.resumeClient(ClientID(index), by: "anna"))
    }
  }
}

/// L1: when the trouble ends, every campaign settles.
extension RandomWalk {
  private mutating func settle() {
    world.script.chaos = nil
    endTrouble()
    for _ in 0..<40 where world.violations.isEmpty && !isOver {
      world.run(for: .seconds(6 * 3_600))
      decide()
    }
    for (index, campaign) in world.state.campaigns.enumerated() where !campaign.state.isTerminal {
      world.complain("L1: \(campaign.name) is \(campaign.state.word): \(open(index))")
    }
  }

  private var isOver: Bool { world.state.campaigns.allSatisfy(\.state.isTerminal) }

  private mutating func endTrouble() {
    attempt(.releaseStop(nil, reason: "over", by: "anna"))
    for index in world.state.clients.indices {
      attempt(.releaseStop(ClientID(index), reason: "over", by: "anna"))
    }
    for index in world.agents.indices {
      world.change(world.agents[index].name.text) {
        $0.isDeaf = false
        $0.version = "1.0.1"
      }
      // A session that lost something is not a session: it ends, and a new one begins.
      world.disconnect(ServerID(index))
      world.connect(ServerID(index))
      attempt(.unlockServer(ServerID(index), by: "anna"))
    }
    for (index, campaign) in world.state.campaigns.enumerated() where campaign.state == .draft {
      attempt(.cancelCampaign(CampaignID(index), reason: "over", by: "anna"))
    }
    resumeAll()
  }

  /// People decide whatever waits for them.
  private mutating func decide() {
    for index in world.state.campaigns.indices {
      let id = CampaignID(index)
      release(id)
      attempt(.waiveRepresentative(id, nil, system: nil, reason: "over", by: "anna"))
      for run in world.state.campaigns[index].runs.indices {
        let ref = RunRef(campaign: id, index: run)
        attempt(.approveRun(ref, reason: "over", by: "bruno"))
        guard world.state[ref].state.kind == .held else { continue }
        attempt(
          .resolveRun(
            ref, .accept, version: world.state[ref].version, reason: "over", by: "bruno"))
      }
      // Hosts wait for outages that are long enough.
      for index in world.state.clients.indices {
        let outage = Outage(
          from: world.now, until: world.now + .seconds(12 * 3_600), reason: "over",
          principal: "bruno", declaredAt: world.now)
        attempt(.declareOutage(ClientID(index), outage))
      }
      // An agent may work for ever on what a person has accepted long ago.
      for index in world.agents.indices {
        attempt(.dismissServer(ServerID(index), reason: "over", by: "bruno"))
      }
      for ring in world.state.campaigns[index].rings where ring.gate == .needsPerson {
        if let next = Ring(Int(ring.ring.number) + 1) {
          attempt(.promoteRing(id, next, reason: "over", by: "anna"))
        }
      }
    }
    resumeAll()
  }

  private func open(_ index: Int) -> [String] {
    world.state.campaigns[index].runs.indices.compactMap {
      let ref = RunRef(campaign: CampaignID(index), index: $0)
      let run = world.state[ref]
      guard !run.state.kind.isTerminal else { return nil }
      let waits = world.state.waits(ref, now: world.now).map { "\($0)" } ?? "-"
      return "run \($0 + 1) \(run.state) waits for \(waits)"
    }
  }
}

import AtlasChecker
import AtlasEngine
import AtlasModel

/// Everything that is drawn from a seed before anything happens: the fleet, the campaigns, and what
/// may go wrong. A reduced seed is the same plan with less in it; a ``Scenario`` has one that is
/// written instead.
package struct SeedPlan: Sendable {
  package var seed: UInt64
  package var start: Instant
  package var clients: [PlannedClient]
  package var campaigns: [PlannedCampaign]
  package var menu: FaultMenu
  package var outages: [PlannedOutage] = []
  package var rollbacks: [PlannedRollback] = []
  package var spells: [Spell] = []
  package var settings: Set<SettingKind> = []
  /// From the start: when people change settings, and when the fleet is imported again.
  package var changes: [Duration] = []
  package var imports: [Duration] = []
  /// From the start: when faults end, and people stop meddling.
  package var calmAfter = SeedPlan.faultsEnd
  /// What does not happen when its moment comes: a reduced seed has more.
  var leftOut: Set<PlannedAct> = []
  /// What happens in a plan that is written; nil for one that is drawn.
  package var script: Script?

  /// From the start: when campaigns are made, faults end, and so on.
  static let campaignsAt = Duration.seconds(6 * 3_600)
  static let faultsEnd = Duration.seconds(58 * 3_600)
  static let campaignsEnd = Duration.seconds(80 * 3_600)

  /// The standard weekend: 20 to 24 clients with 5 or 6 servers each.
  ///
  /// - Parameter without: Settings that are left out.
  package init(seed: UInt64, without: Set<SettingKind> = []) {
    var random = Randomness(seed: seed, for: "plan")
    self.seed = seed
    start = random.pick(Self.fridays)
    menu = FaultMenu(&random)
    clients = []
    for number in 1...random.number(20...24) {
      clients.append(PlannedClient(number, menu, &random))
    }
    let count = random.happens(400) ? 2 : 1
    campaigns = []
    for number in 1...count {
      campaigns.append(PlannedCampaign(number, of: count, clients, end: start, &random))
    }
    placeOthers()
    planRollbacks()
    drawSpells()
    drawSettings(without: without)
  }

  /// A plan that is written: nothing of it is drawn, and nothing goes wrong but by its script.
  package init(
    start: Instant, clients: [PlannedClient], campaigns: [PlannedCampaign], script: Script
  ) {
    seed = 0
    self.start = start
    self.clients = clients
    self.campaigns = campaigns
    menu = FaultMenu()
    self.script = script
  }

  /// Fridays at noon UTC; the clocks of Europe or of America change in the night to Sunday of the
  /// first four.
  private static let fridays = [
    1_774_612_800, 1_792_756_800, 1_772_798_400, 1_793_361_600, 1_781_265_600, 1_794_571_200,
  ].map { Instant(milliseconds: $0 * 1_000) }
}

/// A client of a seed.
package struct PlannedClient: Hashable, Sendable {
  package var config: ClientConfig
  package var zone: ZoneFact
  package var weekly: [WeeklyWindow]
  package var servers: [PlannedServer]
  /// Hook functions that its file has.
  package var hooks: [HookPoint]

  package init(
    config: ClientConfig, zone: ZoneFact, weekly: [WeeklyWindow], servers: [PlannedServer],
    hooks: [HookPoint]
  ) {
    self.config = config
    self.zone = zone
    self.weekly = weekly
    self.servers = servers
    self.hooks = hooks
  }

  init(_ number: Int, _ menu: FaultMenu, _ random: inout Randomness) {
    let name = ClientName(trusted: "C" + (number < 10 ? "0" : "") + String(number))
    let (zoneName, zone) = random.pick(Self.zones)
    self.zone = zone
    weekly = random.pick(Self.windows)
    config = ClientConfig(
      name: name, ring: Ring(random.pick([0, 1, 2, 2, 2, 3]))!, zone: zoneName,
      windows: weekly.map { MaintenanceWindow(rule: $0.text) },
      maxParallelServers: random.pick([1, 1, 1, 2, 3]), requireBackup: random.happens(800),
      createSnapshots: random.happens(800),
      maxBackupAge: random.pick([
        .atMost(.seconds(24 * 3_600)), .atMost(.seconds(2 * 3_600)), .sinceLastJob,
      ]), priority: random.number(1...3))
    let points: [HookPoint] = [.preUpdate, .snapshot, .postUpdate, .finalize, .rollback]
    hooks = [.verifyBackup] + points.filter { _ in random.happens(400) }
    servers = []
    for index in 1...random.number(5...6) {
      servers.append(PlannedServer(index, of: name, menu, &random))
    }
  }

  static let zones: [(String, ZoneFact)] = [
    ("UTC", .fixed(0)), ("Europe/Paris", .european(60)), ("Europe/Helsinki", .european(120)),
    ("America/New_York", .american(-300)), ("Asia/Kolkata", .fixed(330)),
    ("Asia/Tokyo", .fixed(540)),
  ]

  private static let windows: [[WeeklyWindow]] = [
    [.init(4, 1_320, 1_800), .init(5, 1_320, 1_800), .init(6, 1_200, 1_740)],
    [.init(5, 0, 1_440), .init(6, 0, 1_440)],
    [.init(4, 1_200, 1_740), .init(5, 1_200, 1_740), .init(6, 1_200, 1_740)],
    [.init(5, 1_260, 1_410), .init(6, 1_260, 1_410), .init(5, 600, 900)],
    [.init(4, 1_080, 2_880), .init(6, 240, 1_320)],
  ]
}

extension WeeklyWindow {
  init(_ weekday: Int, _ startMinute: Int, _ endMinute: Int) {
    self.init(weekday: weekday, startMinute: startMinute, endMinute: endMinute)
  }

  /// As people write it: `Sat 22:00-06:00`, `Fri 18:00-Sun 00:00`.
  var text: String {
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    let start = "\(days[weekday]) \(Self.clock(startMinute))"
    if endMinute == 1_440 { return "\(start)-24:00" }
    if endMinute - startMinute < 1_440 { return "\(start)-\(Self.clock(endMinute % 1_440))" }
    let last = days[(weekday + endMinute / 1_440) % 7]
    return "\(start)-\(last) \(Self.clock(endMinute % 1_440))"
  }

  private static func clock(_ minute: Int) -> String {
    let (hours, minutes) = (minute / 60, minute % 60)
    return (hours < 10 ? "0" : "") + "\(hours):" + (minutes < 10 ? "0" : "") + "\(minutes)"
  }
}

/// A server of a seed.
package struct PlannedServer: Hashable, Sendable {
  package var config: ServerConfig
  package var ailments: Set<Ailment>
  package var traits = ServerTraits()

  package init(config: ServerConfig, ailments: Set<Ailment> = []) {
    self.config = config
    self.ailments = ailments
  }

  init(_ number: Int, of client: ClientName, _ menu: FaultMenu, _ random: inout Randomness) {
    let role = random.pick(["WEB", "APP", "FILE", "SQL", "DC"])
    config = ServerConfig(
      name: ServerName(trusted: "\(client)-S1-\(role)0\(number)"), client: client,
      site: SiteName(trusted: "S1"), roles: [Role(trusted: role)], number: number,
      system: random.pick(["windows-2022", "windows-2019", "debian-12"]),
      physical: random.happens(50))
    ailments = []
    if random.happens(menu.ailing) { ailments.insert(random.pick(Ailment.allCases)) }
    if random.happens(menu.ailing / 8) { ailments.insert(random.pick(Ailment.allCases)) }
  }
}

/// What a server does in its own way; nil for the usual.
package struct ServerTraits: Hashable, Sendable {
  /// From leave to change to the end of one installation.
  package var installs: Duration?
  /// From going down to being up again.
  package var boots: Duration?
  package var agentVersion = "1.0.0"
  /// How many updates the set has here, 1 to 20.
  package var updates = 2
  /// An update that breaks the server when it is installed.
  package var badUpdate: UpdateID?
  /// Whether what is installed wants a boot.
  package var wantsBoot = true

  package init() {}
}

/// A campaign of a seed.
package struct PlannedCampaign: Hashable, Sendable {
  package var name: CampaignName
  package var servers: [ServerName]
  package var policy: Policy
  /// From the start of the plan.
  package var startsAfter: Duration
  package var endsAt: Instant
  package var updateSet = UpdateSet(include: [UpdateID(trusted: "security")])
  /// The whole policy of clients that have their own.
  package var overrides: [ClientName: Policy] = [:]

  package init(
    name: CampaignName, servers: [ServerName], policy: Policy, startsAfter: Duration,
    endsAt: Instant
  ) {
    self.name = name
    self.servers = servers
    self.policy = policy
    self.startsAfter = startsAfter
    self.endsAt = endsAt
  }

  init(
    _ number: Int, of count: Int, _ clients: [PlannedClient], end start: Instant,
    _ random: inout Randomness
  ) {
    name = CampaignName(trusted: "night-\(number)")
    let all = clients.flatMap(\.servers).map(\.config.name)
    // Two campaigns share clients, and no servers.
    servers = all.indices.filter { $0 % count == number - 1 }.map { all[$0] }
    startsAfter = SeedPlan.campaignsAt + random.minutes(0...120)
    endsAt = start + SeedPlan.campaignsEnd
    policy = Self.policy(&random)
  }

  static func policy(_ random: inout Randomness) -> Policy {
    var policy = Policy()
    policy.maxRetries = random.number(0...3)
    policy.retryBackoff = random.minutes(1...10)
    policy.autoRollback = random.happens(850)
    policy.onFailure = random.happens(150) ? .hold : .continueIfHealthy
    policy.times.estimate = .seconds(45 * 60)
    policy.rollbackReserve = .seconds(15 * 60)
    policy.serverSoak = random.happens(300) ? .seconds(300) : .zero
    policy.deferLimit = random.pick([.seconds(3_600), .seconds(4 * 3_600)])
    policy.pendingReboot = random.happens(300) ? .refuse : .rebootFirst
    policy.download = random.happens(300) ? .beforeWindow : .off
    policy.rollback = random.pick([.snapshot, .snapshot, .uninstall, .hold])
    policy.maxParallelServers = random.pick([nil, nil, 1, 2])
    policy.maxInProgress = random.happens(200) ? random.number(3...15) : nil
    policy.maxActiveClients = random.happens(100) ? random.number(2...8) : nil
    policy.maxStartsPerMinute = random.happens(150) ? random.number(1...5) : nil
    policy.maxWaitingForPeople = random.happens(150) ? random.number(1...4) : nil
    policy.requireBackup = random.happens(200)
    policy.createSnapshots = random.happens(200)
    policy.maxBackupAge = random.happens(100) ? .atMost(.seconds(3_600)) : nil
    policy.carryOver = random.happens(200)
    policy.breakers = breakers(&random)
    policy.perSite = random.happens(150) ? random.number(1...2) : nil
    policy.minAvailable = random.happens(150) ? random.pick([34, 50, 90]) : nil
    policy.peerCheck = random.pick([[], [Role(trusted: "DC")], [Role(trusted: "SQL")]])
    let isRepresentative = random.happens(150)
    for ring in [Ring.canary, .pilot, .standard] {
      policy.gates.append(
        RingGate(
          ring: ring, openAfter: random.happens(200) ? .complete : .sample,
          minCompleted: random.number(1...3), successRate: random.pick([50, 80, 95]),
          maxFailed: random.number(0...3), gateSoak: random.minutes(0...30),
          approval: random.happens(150) ? .manual : .auto, representative: isRepresentative))
    }
    return policy
  }

  private static func breakers(_ random: inout Randomness) -> Breakers {
    guard random.happens(800) else { return .off }
    var breakers = Breakers()
    breakers.maxFailedPerClient = random.pick([nil, 1, 2])
    breakers.successRate = random.pick([nil, 50, 80])
    breakers.sample = random.number(5...30)
    breakers.signatureClients = random.pick([nil, 2, 3])
    breakers.sourceClients = random.pick([nil, 2, 3])
    breakers.sourceServers = random.pick([nil, 1, 2])
    return breakers
  }
}

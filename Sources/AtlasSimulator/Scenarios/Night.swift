import AtlasChecker
import AtlasControl
import AtlasEngine
import AtlasModel

/// A small world that is written down: its clients, its campaign, and what happens in its night.
///
/// It begins on a Friday at 21:00 UTC. The agents come at 21:12:30, the campaign at 21:30, and the
/// window is from 22:00 to 06:00, unless the scenario says otherwise. Times of day are hours and
/// minutes from the midnight before: 25:00 is one o'clock at night.
struct Night: Sendable {
  var midnight = Night.friday
  var clients: [PlannedClient] = []
  var policy = Policy()
  var updateSet = UpdateSet(include: [UpdateID(trusted: "security")])
  var hooks: [WrittenHook] = []
  /// Lives of the daemon, counted from 1, that end after so many things.
  var lives: [Int: Int] = [:]
  var cues: [Cue] = []
  /// Of the campaign, and of the story.
  var campaignStarts = Self.clock(21, 30)
  var campaignEnds = Self.clock(36)
  var ends = Self.clock(37)
  /// How servers end; who is not named ends ``otherwise``.
  var endings: [String: String] = [:]
  var otherwise = "COMPLETED UPDATED"
  var claims: [Claim] = []
  /// Lines that its trace leaves out: those with all texts of one of these.
  var leavesOut = [["log client.imported"], ["log server.imported"]]
  /// Whether its trace has what servers and hooks do.
  private var tellsServers = true

  /// 2026-06-12, a Friday on which no clock changes; 2026-03-28 and 2026-10-24, Saturdays before
  /// the clocks of Europe do.
  static let friday = Instant(milliseconds: 1_781_222_400_000)
  static let beforeSpring = Instant(milliseconds: 1_774_656_000_000)
  static let beforeAutumn = Instant(milliseconds: 1_792_800_000_000)

  static func clock(_ hours: Int, _ minutes: Int = 0) -> Duration {
    .seconds(hours * 3_600 + minutes * 60)
  }

  static let campaign = CampaignName(trusted: "patch-06")

  // MARK: - Who is there

  /// A client with a window from 22:00 to 06:00 on Friday and Saturday, and one slot.
  ///
  /// - Parameter servers: What comes after the client's name: `WEB01` is `ATL-LYON-WEB01`.
  mutating func client(
    _ name: String, _ servers: [String], site: String = "LYON", ring: Ring = .standard,
    windows: [WeeklyWindow] = [.init(4, 1_320, 1_800), .init(5, 1_320, 1_800)],
    zone: (String, ZoneFact) = ("UTC", .fixed(0)), hooks: [HookPoint] = [.verifyBackup],
    change: (inout ClientConfig) -> Void = { _ in }
  ) {
    let client = ClientName(trusted: name)
    var config = ClientConfig(
      name: client, ring: ring, zone: zone.0,
      windows: windows.map { MaintenanceWindow(rule: $0.text) })
    change(&config)
    clients.append(
      PlannedClient(
        config: config, zone: zone.1, weekly: windows,
        servers: servers.map { Self.server("\(name)-\(site)-\($0)", of: client, at: site) },
        hooks: hooks))
  }

  private static func server(_ name: String, of client: ClientName, at site: String)
    -> PlannedServer
  {
    let last = name.split(separator: "-").last ?? ""
    let digits = last.drop { !$0.isNumber }
    return PlannedServer(
      config: ServerConfig(
        name: ServerName(trusted: name), client: client, site: SiteName(trusted: site),
        roles: [Role(trusted: String(last.prefix { !$0.isNumber }))], number: Int(digits) ?? 0,
        system: "windows-2022"))
  }

  /// Changes a server of one of the clients.
  mutating func server(_ name: String, _ change: (inout PlannedServer) -> Void) {
    for client in clients.indices {
      for server in clients[client].servers.indices
      where clients[client].servers[server].config.name.text == name {
        change(&clients[client].servers[server])
      }
    }
  }

  /// Has something wrong with it all night, or until a cue says otherwise.
  mutating func server(_ name: String, ails ailment: Ailment) {
    server(name) { $0.ailments.insert(ailment) }
  }

  var serverNames: [String] { clients.flatMap(\.servers).map(\.config.name.text) }

  // MARK: - What happens

  mutating func at(_ hours: Int, _ minutes: Int = 0, _ deed: Cue.Deed) {
    cues.append(Cue(when: .at(Self.clock(hours, minutes)), deed: deed))
  }

  mutating func when(_ when: Cue.When, after wait: Duration = .zero, _ deed: Cue.Deed) {
    cues.append(Cue(when: when, wait: wait, deed: deed))
  }

  /// Leaves out what servers and hooks do, where the log says enough.
  mutating func leaveOutServers() {
    tellsServers = false
  }

  mutating func hook(
    _ point: HookPoint, of server: String? = nil, says: WrittenHook.Answer,
    from: Duration? = nil, until: Duration? = nil
  ) {
    hooks.append(
      WrittenHook(
        point: point, server: server.map { ServerName(trusted: $0) }, says: says, from: from,
        until: until))
  }

  // MARK: - What must be true

  mutating func ends(_ server: String, _ ending: String) { endings[server] = ending }

  mutating func claim(_ text: String, _ holds: @escaping @Sendable (Told) -> Bool) {
    claims.append(Claim(text: text, holds: holds))
  }

  // MARK: - Playing

  var plan: SeedPlan {
    var script = Script(midnight: midnight, ends: ends)
    script.cues = cues
    script.hooks = hooks
    script.lives = lives
    let start = midnight + Self.clock(21)
    var campaign = PlannedCampaign(
      name: Self.campaign, servers: clients.flatMap(\.servers).map(\.config.name),
      policy: policy, startsAfter: campaignStarts - Self.clock(21),
      endsAt: midnight + campaignEnds)
    campaign.updateSet = updateSet
    return SeedPlan(start: start, clients: clients, campaigns: [campaign], script: script)
  }

  func play() -> ScenarioOutcome {
    let (told, wrong) = tell()
    return ScenarioOutcome(story: told.lines.filter(isTold), wrong: wrong)
  }

  private func isTold(_ line: String) -> Bool {
    if leavesOut.contains(where: { $0.allSatisfy { line.contains($0) } }) { return false }
    let first = line.split(separator: " ").dropFirst().first.map(String.init) ?? ""
    return tellsServers || first != "hook" && !serverNames.contains(first)
  }

  /// Plays it, and says what is wrong.
  func tell() -> (Told, wrong: [String]) {
    let simulation = Simulation(plan, isTelling: true)
    let outcome = simulation.run()
    let told = Told(midnight: midnight, records: simulation.records, lines: outcome.story)
    let wrong =
      outcome.violations.map(\.description) + simulation.missedCues + wrongEndings(told)
      + claims.filter { !$0.holds(told) }.map { "it is not so that \($0.text)" }
    return (told, wrong)
  }

  private func wrongEndings(_ told: Told) -> [String] {
    let endings = told.endings
    return serverNames.compactMap { server in
      let wanted = self.endings[server] ?? otherwise
      let found = endings[server] ?? "PENDING"
      return wanted == found ? nil : "\(server) ends as \(found) instead of \(wanted)"
    }
  }
}

/// Names, short.
extension ServerName {
  static func of(_ name: String) -> ServerName { ServerName(trusted: name) }
}

extension ClientName {
  static func of(_ name: String) -> ClientName { ClientName(trusted: name) }
}

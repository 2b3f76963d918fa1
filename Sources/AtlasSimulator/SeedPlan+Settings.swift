import AtlasChecker
import AtlasModel

/// What a seed may have beside its faults. Each is on in some seeds and off in others, and drawn from
/// a source of its own, so that leaving one out changes nothing about the rest.
package enum SettingKind: String, CaseIterable, Hashable, Sendable {
  /// Campaigns with windows of their own, which people edit.
  case ownWindows = "own_windows"
  /// Freezes of clients, some of which come in mid-campaign.
  case freezes
  /// Clients that move to another zone in mid-campaign.
  case zoneChanges = "zone_changes"
  /// Servers share what campaigns limit.
  case resources
  /// Clients that have a policy of their own in a campaign.
  case overrides
  /// Roles with times and estimates of their own.
  case roleTimes = "role_times"
  /// Campaigns whose end is moved while they run.
  case movedEnds = "moved_ends"
  /// The fleet is imported again and again.
  case imports
  /// Faults and people end on Saturday night, while windows are open.
  case earlyCalm = "early_calm"
}

extension SeedPlan {
  /// - Parameter without: What is not drawn, although the seed has it.
  mutating func drawSettings(without: Set<SettingKind>) {
    var random = Randomness(seed: seed, for: "settings")
    settings = Set(SettingKind.allCases.filter { _ in random.happens(300) }).subtracting(without)
    if settings.contains(.freezes) { drawFreezes() }
    if settings.contains(.resources) { drawResources() }
    if settings.contains(.roleTimes) { drawRoleTimes() }
    if settings.contains(.ownWindows) { drawOwnWindows() }
    if settings.contains(.overrides) { drawOverrides() }
    if settings.contains(.imports) {
      var random = Randomness(seed: seed, for: "imports")
      imports = (1...random.number(1...3)).map { _ in random.minutes(8 * 60...50 * 60) }
    }
    if settings.contains(.earlyCalm) {
      var random = Randomness(seed: seed, for: "early calm")
      calmAfter = .seconds(random.number(30...42) * 3_600)
    }
    guard !settings.isDisjoint(with: Self.changing) else { return }
    changes = (1...random.number(3...10)).map { _ in random.minutes(7 * 60...54 * 60) }
  }

  /// Settings that people change while campaigns run.
  private static let changing: Set<SettingKind> = [
    .ownWindows, .freezes, .zoneChanges, .resources, .overrides, .roleTimes, .movedEnds,
  ]

  private mutating func drawFreezes() {
    var random = Randomness(seed: seed, for: "freezes")
    for client in clients.indices where random.happens(300) {
      clients[client].config.freezes = (1...random.number(1...2)).map { _ in
        Self.freeze(after: start + .seconds(8 * 3_600), &random)
      }
    }
  }

  /// Some hours in the two days after `instant`, from one full minute to another.
  static func freeze(after instant: Instant, _ random: inout Randomness) -> Freeze {
    let minute = instant.milliseconds / 60_000 + Int64(random.number(0...48 * 60))
    let length = Int64(random.number(60...10 * 60))
    return Freeze(
      interval: Interval(
        start: Instant(milliseconds: minute * 60_000),
        end: Instant(milliseconds: (minute + length) * 60_000)),
      reason: "a fair")
  }

  private mutating func drawResources() {
    var random = Randomness(seed: seed, for: "resources")
    for client in clients.indices {
      for server in clients[client].servers.indices {
        let shared = Self.shared.filter { _ in random.happens(250) }
        clients[client].servers[server].config.resources = shared
      }
    }
    for campaign in campaigns.indices {
      campaigns[campaign].policy.resources = Self.limits(&random)
    }
  }

  private static let shared = ["PROXY", "SAN-1", "SAN-2"].map { ResourceName(trusted: $0) }

  static func limits(_ random: inout Randomness) -> [ResourceLimit] {
    shared.filter { _ in random.happens(700) }.map {
      ResourceLimit(name: $0, limit: random.number(1...5))
    }
  }

  private mutating func drawRoleTimes() {
    var random = Randomness(seed: seed, for: "role times")
    for campaign in campaigns.indices {
      campaigns[campaign].policy.roleTimes = Self.roleTimes(&random)
    }
  }

  static func roleTimes(_ random: inout Randomness) -> [RoleTimes] {
    ["DC", "FILE", "SQL", "WEB"].filter { _ in random.happens(500) }.map { role in
      var times = PhaseTimes()
      times.estimate = random.pick([.seconds(30 * 60), .seconds(90 * 60), .seconds(150 * 60)])
      times.update = random.pick([.seconds(1_800), .seconds(3_600), .seconds(2 * 3_600)])
      times.reboot = random.pick([.seconds(900), .seconds(3_600)])
      return RoleTimes(role: Role(trusted: role), times: times)
    }
  }

  /// Weekly, so that their text says all of it.
  static let ownWindows: [WeeklyWindow] = [
    WeeklyWindow(weekday: 4, startMinute: 1_080, endMinute: 4_320),
    WeeklyWindow(weekday: 5, startMinute: 0, endMinute: 2_880),
    WeeklyWindow(weekday: 4, startMinute: 1_260, endMinute: 3_300),
    WeeklyWindow(weekday: 5, startMinute: 1_260, endMinute: 3_120),
  ]

  static func ownWindow(_ random: inout Randomness) -> MaintenanceWindow {
    MaintenanceWindow(rule: random.pick(ownWindows).text)
  }

  private mutating func drawOwnWindows() {
    var random = Randomness(seed: seed, for: "own windows")
    for campaign in campaigns.indices where random.happens(600) {
      campaigns[campaign].policy.windows = Self.ownWindow(&random)
    }
  }

  private mutating func drawOverrides() {
    var random = Randomness(seed: seed, for: "overrides")
    for campaign in campaigns.indices {
      campaigns[campaign].overrides = overrides(of: campaigns[campaign].policy, &random)
    }
  }

  /// A policy of their own for some clients: other values where a client may have them.
  func overrides(
    of policy: Policy, _ random: inout Randomness
  ) -> [ClientName: Policy] {
    var overrides: [ClientName: Policy] = [:]
    for client in clients where random.happens(200) {
      let drawn = PlannedCampaign.policy(&random)
      var own = policy
      own.maxRetries = drawn.maxRetries
      own.retryBackoff = drawn.retryBackoff
      own.autoRollback = drawn.autoRollback
      own.onFailure = drawn.onFailure
      own.serverSoak = drawn.serverSoak
      own.deferLimit = drawn.deferLimit
      own.pendingReboot = drawn.pendingReboot
      own.maxParallelServers = drawn.maxParallelServers
      own.perSite = drawn.perSite
      own.minAvailable = drawn.minAvailable
      own.peerCheck = drawn.peerCheck
      own.rollbackReserve = random.pick([.zero, .seconds(900), .seconds(3_600)])
      own.times.estimate = random.pick([.seconds(1_800), .seconds(45 * 60), .seconds(2 * 3_600)])
      overrides[client.config.name] = own
    }
    return overrides
  }
}

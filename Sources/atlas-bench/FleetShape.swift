import AtlasEngine
import AtlasModel

/// What a fleet and its campaign have besides servers. Each makes admission ask more, and keeps
/// more servers waiting for something else than their turn.
struct FleetShape: OptionSet {
  let rawValue: Int

  /// One ring, one slot a client, and nothing that limits anything but that.
  static let plain: FleetShape = []
  /// Caps on servers in progress, on clients that are worked on, and at each site.
  static let caps = FleetShape(rawValue: 1 << 0)
  /// A quarter of the servers of all clients share a store, and few may use it at once.
  static let resources = FleetShape(rawValue: 1 << 1)
  /// Three rings: the first gate opens while the campaign goes on, the second stays closed.
  static let gates = FleetShape(rawValue: 1 << 2)
  /// Servers that come after others, and groups of which one may be away at a time.
  static let order = FleetShape(rawValue: 1 << 3)
  /// Hosts with guests, those of a second client among them.
  static let hosts = FleetShape(rawValue: 1 << 4)
  /// Servers that are held, one at every tenth client.
  static let holds = FleetShape(rawValue: 1 << 5)
  /// All servers share the store instead of a quarter, and any client may begin: whole lanes wait
  /// for it.
  static let shared = FleetShape(rawValue: 1 << 6)
  static let all: FleetShape = [.caps, .resources, .gates, .order, .hosts, .holds]
}

/// A fleet and a campaign over all of it, of any size and shape.
struct ShapedFleet {
  let clients: Int
  /// Servers of each client.
  let servers: Int
  var shape = FleetShape.plain
  /// Slots of each client.
  var slots = 1

  /// As many servers are in progress at once in a campaign with caps, those that are held aside.
  static let inProgress = 50
  private static let activeClients = 25
  private static let resource = ResourceName(trusted: "SAN-1")
  private static let users = 10

  /// Clients with a server that is held.
  var troubled: Int { shape.contains(.holds) ? (clients + 9) / 10 : 0 }

  var imported: Event {
    .fleetImported(
      clients: (0..<clients).map(client),
      servers: (0..<clients).flatMap { client in
        (0..<servers).map { server($0, of: client) }
      }, by: "bench")
  }

  /// Whether a client is one of those with a server that is held.
  func isTroubled(_ client: Int) -> Bool { shape.contains(.holds) && client % 10 == 0 }

  /// Whether the server at this place of the fleet is not healthy after its update.
  func isIll(_ server: ServerID) -> Bool {
    let place = Int(server.index)
    return place % servers == 0 && isTroubled(place / servers)
  }

  /// Clients whose guests go down with a host: they must have agreed to that.
  var outages: [ClientID] {
    guard shape.contains(.hosts) else { return [] }
    return (0..<clients).filter { [3, 4].contains($0 % 10) }.map { ClientID($0) }
  }

  private func name(_ client: Int) -> ClientName { ClientName(trusted: "CLIENT\(client)") }

  private func name(_ number: Int, of client: Int) -> ServerName {
    ServerName(trusted: "\(name(client))-PARIS-WEB\(number)")
  }

  private func client(_ number: Int) -> ClientConfig {
    ClientConfig(
      name: name(number), ring: ring(number), maxParallelServers: isTroubled(number) ? 1 : slots,
      priority: isTroubled(number) ? 1 : 100)
  }

  /// A fifth in the first ring, less than half behind the gate that stays closed.
  private func ring(_ client: Int) -> Ring {
    guard shape.contains(.gates) else { return .standard }
    switch client % 10 {
    case 0, 1: return .canary
    case 2...5: return .pilot
    case _: return .standard
    }
  }

  private func server(_ number: Int, of client: Int) -> ServerConfig {
    let isHeld = isTroubled(client) && number == 0
    var server = ServerConfig(
      name: name(number, of: client), client: name(client),
      site: SiteName(trusted: number % 2 == 0 ? "PARIS" : "LYON"),
      roles: [Role(trusted: isHeld ? "SQL" : "WEB")], number: number)
    if shape.contains(.resources), number % 4 == 2 || shape.contains(.shared) {
      server.resources = [Self.resource]
    }
    if shape.contains(.order) {
      if number % 10 == 5 { server.after = [name(number - 1, of: client)] }
      if number % 10 == 7 { server.antiAffinity = GroupName(trusted: "CLUSTER") }
    }
    if shape.contains(.hosts) { server.host = host(of: number, client) }
    return server
  }

  /// The last server of every tenth client has guests of its own and of the next client.
  private func host(of number: Int, _ client: Int) -> ServerName? {
    switch client % 10 {
    case 3 where number < 5: name(servers - 1, of: client)
    case 4 where number < 2: name(servers - 1, of: client - 1)
    case _: nil
    }
  }

  func draft(_ campaign: CampaignName) -> CampaignDraft {
    var policy = Policy()
    if shape.contains(.caps) {
      policy.maxInProgress = Self.inProgress + troubled
      if !shape.contains(.shared) { policy.maxActiveClients = Self.activeClients + troubled }
      policy.perSite = 1
    }
    if shape.contains(.resources) {
      policy.resources = [ResourceLimit(name: Self.resource, limit: Self.users)]
    }
    if shape.contains(.gates) {
      policy.gates = [
        RingGate(ring: .canary, minCompleted: 20, successRate: 0, maxFailed: .max, gateSoak: .zero),
        RingGate(ring: .pilot, openAfter: .complete, gateSoak: .zero),
      ]
    }
    if shape.contains(.holds) {
      // They are to be held, not tried again, and to stop nobody else.
      policy.maxRetries = 0
      policy.breakers = .off
    }
    return CampaignDraft(name: campaign, policy: policy)
  }
}

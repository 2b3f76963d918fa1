import AtlasModel

/// A small fleet in the words of the field, for tests of the engine.
///
///     var fleet = EngineFleet()
///     fleet.add("LAA", ring: .pilot, servers: ["LAA-PARIS-WEB01", "LAA-PARIS-DC01"])
///
/// Names follow `CLIENT-SITE-ROLENN`; everything else has a default that a test may change.
package struct EngineFleet: Sendable {
  package private(set) var clients: [ClientConfig] = []
  package private(set) var servers: [ServerConfig] = []
  /// When each client may be worked on, in the order of ``clients``.
  package var windows: [[Interval]] = []

  package init() {}

  /// 22:00 UTC on a Saturday: the time at which every test begins.
  package static let start = Instant(milliseconds: 1_795_298_400_000)

  /// The window of a night that begins `night` days after ``start``: 22:00 to 06:00.
  package static func night(_ night: Int = 0, hours: Int = 8) -> Interval {
    let begin = start + .seconds(night * 86_400)
    return Interval(start: begin, end: begin + .seconds(hours * 3_600))
  }

  /// Adds a client and its servers. Without `windows` it may be worked on for three nights.
  package mutating func add(
    _ name: String, ring: Ring = .canary, slots: Int = 1, servers names: [String],
    windows: [Interval] = [night(), night(1), night(2)],
    _ change: (inout ClientConfig) -> Void = { _ in }
  ) {
    var client = ClientConfig(
      name: ClientName(trusted: name), ring: ring, maxParallelServers: slots)
    change(&client)
    clients.append(client)
    self.windows.append(windows)
    for server in names { servers.append(Self.server(server, of: client.name)) }
  }

  /// Adds a server to a client that is there already.
  package mutating func add(to client: String, server name: String) {
    servers.append(Self.server(name, of: ClientName(trusted: client)))
  }

  /// Changes one server that is there already.
  package mutating func change(_ name: String, _ change: (inout ServerConfig) -> Void) {
    guard let index = servers.firstIndex(where: { $0.name.text == name }) else { return }
    change(&servers[index])
  }

  private static func server(_ name: String, of client: ClientName) -> ServerConfig {
    let parts = name.split(separator: "-").map(String.init)
    let site = parts.count > 1 ? parts[1] : "MAIN"
    let last = parts.last ?? ""
    let role = last.prefix { !$0.isNumber }
    return ServerConfig(
      name: ServerName(trusted: name), client: client, site: SiteName(trusted: site),
      roles: role.isEmpty ? [] : [Role(trusted: String(role))],
      number: Int(last.drop { !$0.isNumber }) ?? 0, system: "windows-2022")
  }
}

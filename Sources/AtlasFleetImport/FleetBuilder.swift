import AtlasCalendar
import AtlasModel

/// Puts a draft together with the fleet there is: all or nothing for each client.
struct FleetBuilder {
  private let existing: Fleet
  private let existingClients: [ClientName: ClientConfig]
  private let existingServers: [ServerName: ServerConfig]
  private let existingCounts: [ClientName: Int]
  private let patterns: [HostPattern]
  /// What windows are compared with; nil for nothing.
  let now: Instant?
  private var draft: FleetDraft
  /// The draft's servers by client, as indexes.
  private var serversOf: [ClientName: [Int]] = [:]

  /// What came of it.
  struct Outcome {
    var fleet: Fleet
    var diagnostics: DiagnosticList
    /// Servers of the fleet that no file mentions.
    var serversUnmentioned: Int
  }

  init(_ draft: FleetDraft, over existing: Fleet, now: Instant?) {
    self.draft = draft
    self.now = now
    self.existing = existing
    patterns = draft.patterns.isEmpty ? HostPattern.standard : draft.patterns
    existingClients = Dictionary(
      existing.clients.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    existingServers = Dictionary(
      existing.servers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    existingCounts = Dictionary(
      existing.servers.map { ($0.client, 1) }, uniquingKeysWith: { $0 + $1 })
  }

  func existingClient(_ name: ClientName) -> ClientConfig? { existingClients[name] }
  func existingServer(_ name: ServerName) -> ServerConfig? { existingServers[name] }
  var existingNames: [ServerName] { existing.servers.map(\.name) }
  /// Servers that run on others, of those in the fleet.
  var existingGuests: [ServerConfig] { existing.servers.filter { $0.host != nil } }
  func existingServers(of client: ClientName) -> [ServerConfig] {
    existing.servers.filter { $0.client == client }
  }
  /// What the files say about a client's servers, by name.
  func serverDrafts(of client: ClientName) -> [ServerName: ServerDraft] {
    Dictionary(
      (serversOf[client] ?? []).map { (draft.servers[$0].name, draft.servers[$0]) },
      uniquingKeysWith: { first, _ in first })
  }
  func clientDraft(_ name: ClientName) -> ClientDraft? { draft.clients[name] }
  func isRefused(_ name: ClientName) -> Bool { draft.diagnostics.refusedClients.contains(name) }

  mutating func refuse(
    at place: Place, field: String, _ error: ValueError, client: ClientName
  ) {
    draft.diagnostics.error(at: place, field: field, error, client: client)
  }

  mutating func warn(
    at place: Place, field: String, _ message: String, hint: String, client: ClientName
  ) {
    draft.diagnostics.warning(at: place, field: field, message, hint: hint, client: client)
  }

  mutating func build() -> Outcome {
    assignServers()
    refuseByFile()
    refuseNamesThatDifferInCase()
    let ringNames = ringNames()
    var clients: [ClientConfig] = []
    var servers: [ServerConfig] = []
    let named = Set(draft.clients.keys).union(serversOf.keys)
    for name in named.sorted() {
      guard let client = client(name, ringNames: ringNames) else { continue }
      let own = self.servers(of: name)
      checkOrder(own, of: name)
      guard !isRefused(name) else { continue }
      clients.append(client)
      servers += own
    }
    checkHosts(&clients, &servers)
    let fleet = merged(clients, servers, ringNames)
    warnOfHostsBetweenWindows(fleet, concerning: named)
    return Outcome(
      fleet: checkedSize(fleet), diagnostics: draft.diagnostics,
      serversUnmentioned: unmentioned())
  }
}

// MARK: - Whose server

extension FleetBuilder {
  private mutating func assignServers() {
    let bySmallLetters = Dictionary(
      Set(existingClients.keys).union(draft.clients.keys).map { ($0.text.lowercased(), $0) },
      uniquingKeysWith: { min($0, $1) })
    let knownNames = Dictionary(
      existing.servers.map { ($0.name.text.lowercased(), $0.name) },
      uniquingKeysWith: { first, _ in first })
    for index in draft.servers.indices {
      let server = draft.servers[index]
      guard let client = client(of: server, bySmallLetters) else {
        refuseUnassigned(server)
        continue
      }
      serversOf[client, default: []].append(index)
      if server.isDisputed { draft.diagnostics.refuse(client) }
      if let known = knownNames[server.name.text.lowercased()], known != server.name {
        draft.diagnostics.error(
          at: server.place, field: "server",
          "\(server.name) differs from the fleet's \(known) in case only",
          hint: "host names are unique in the whole fleet", client: client)
      }
      if let known = existingServers[server.name], known.client != client {
        draft.diagnostics.error(
          at: server.client?.place ?? server.place, field: "client",
          "\(server.name) belongs to \(known.client) in the fleet, not to \(client)",
          hint: "a server never changes its client; retire it and import it under a new name",
          client: client)
      }
    }
    refuseUnknownClients()
  }

  /// By its column, else as the fleet knows it, else by its host name, whose case may differ.
  private func client(
    of server: ServerDraft, _ bySmallLetters: [String: ClientName]
  ) -> ClientName? {
    if let explicit = server.client?.value { return explicit }
    if server.client == nil, let known = existingServers[server.name] { return known.client }
    guard
      let text = patterns.parts(of: server.name.text)?.client, let name = try? ClientName(text)
    else { return nil }
    let isKnown = existingClients[name] != nil || draft.clients[name] != nil
    return isKnown ? name : bySmallLetters[text.lowercased()] ?? name
  }

  private mutating func refuseUnassigned(_ server: ServerDraft) {
    draft.diagnostics.error(
      at: server.place, field: "server", unparsable(server.name),
      hint: "name its client, site and roles in columns, or describe the names with host_pattern:",
      client: nil)
  }

  private func unparsable(_ name: ServerName) -> String {
    "\(name) is not built like "
      + patterns.map(\.text).joined(separator: " or ")
  }

  private mutating func refuseUnknownClients() {
    let known = Set(existingClients.keys).union(draft.clients.keys)
    let names = known.map(\.text).sorted()
    for (client, indexes) in serversOf.sorted(by: { $0.key < $1.key }) where !known.contains(client)
    {
      let first = draft.servers[indexes[0]]
      let count = indexes.count == 1 ? "" : " (and \(indexes.count - 1) more servers)"
      draft.diagnostics.error(
        at: first.client?.place ?? first.place, field: "client",
        "the client \(client) of \(first.name)\(count) is not known",
        hint: Spelling.nearest(to: client.text, among: names).map { "did you mean \($0)?" }
          ?? "import the client first, or in the same import", client: client)
    }
  }

  /// Clients that a refused file says something about.
  private mutating func refuseByFile() {
    let refused = draft.diagnostics.refusedFiles
    guard !refused.isEmpty else { return }
    for client in draft.clients.values where refused.contains(where: client.files.contains) {
      draft.diagnostics.refuse(client.name)
    }
    for (client, indexes) in serversOf
    where indexes.contains(where: { refused.contains(where: draft.servers[$0].files.contains) }) {
      draft.diagnostics.refuse(client)
    }
  }

  /// Names become file names of hooks, on systems that do not tell case apart.
  private mutating func refuseNamesThatDifferInCase() {
    var seen: [String: ClientName] = [:]
    for name in existingClients.keys { seen[name.text.lowercased()] = name }
    for client in draft.clients.values.sorted(by: { $0.place < $1.place }) {
      let key = client.name.text.lowercased()
      guard let other = seen[key], other != client.name else {
        seen[key] = client.name
        continue
      }
      draft.diagnostics.error(
        at: client.place, field: "name",
        "the clients \(client.name) and \(other) differ in case only",
        hint: "write \(other)", client: client.name)
    }
  }

  private func unmentioned() -> Int {
    let mentioned = Set(draft.servers.map(\.name))
    return existing.servers.count { !mentioned.contains($0.name) }
  }
}

// MARK: - Putting it together

extension FleetBuilder {
  private func ringNames() -> [RingName] {
    var names = Dictionary(
      existing.ringNames.map { ($0.ring, $0.name) }, uniquingKeysWith: { first, _ in first })
    let refused = draft.diagnostics.refusedFiles
    for (ring, name) in draft.ringNames where !refused.contains(name.place.file) {
      names[ring] = name.value
    }
    return names.map { RingName(ring: $0.key, name: $0.value) }.sorted { $0.ring < $1.ring }
  }

  private func merged(
    _ clients: [ClientConfig], _ servers: [ServerConfig], _ ringNames: [RingName]
  ) -> Fleet {
    let newClients = Set(clients.map(\.name))
    let newServers = Set(servers.map(\.name))
    let allClients = existing.clients.filter { !newClients.contains($0.name) } + clients
    let allServers = existing.servers.filter { !newServers.contains($0.name) } + servers
    return Fleet(
      clients: allClients.sorted { $0.name < $1.name },
      servers: allServers.sorted { ($0.client, $0.name) < ($1.client, $1.name) },
      ringNames: ringNames)
  }

  /// The fleet as it was when the new one would be too large.
  private mutating func checkedSize(_ fleet: Fleet) -> Fleet {
    let sizes = [
      ("clients", fleet.clients.count, Limits.clients),
      ("servers", fleet.servers.count, Limits.servers),
    ]
    for (what, count, limit) in sizes where count > limit {
      draft.diagnostics.error(
        at: Place(file: 0, line: 0), "the fleet would have \(count) \(what)",
        hint: "at most \(limit)", client: nil)
      return existing
    }
    return fleet
  }

  private mutating func servers(of client: ClientName) -> [ServerConfig] {
    let indexes = serversOf[client] ?? []
    let servers = indexes.compactMap { server(draft.servers[$0], of: client) }
    let known = existingCounts[client] ?? 0
    guard !indexes.isEmpty, known + indexes.count > Limits.serversPerClient else { return servers }
    let all = Set(servers.map(\.name)).union(
      existing.servers.filter { $0.client == client }.map(\.name))
    if all.count > Limits.serversPerClient {
      draft.diagnostics.error(
        at: draft.servers[indexes[0]].place, field: "client",
        "\(client) would have \(all.count) servers", hint: "at most \(Limits.serversPerClient)",
        client: client)
    }
    return servers
  }

  private mutating func server(_ draft: ServerDraft, of client: ClientName) -> ServerConfig? {
    let old = existingServers[draft.name]
    let parts = patterns.parts(of: draft.name.text)
    guard
      let site = draft.site?.value ?? known(old?.site, unless: draft.site)
        ?? parts.map({ SiteName(trusted: $0.site) }),
      let roles = draft.roles?.value ?? known(old?.roles, unless: draft.roles)
        ?? parts.map({ $0.role.map { [Role(trusted: $0.uppercased())] } ?? [] })
    else {
      self.draft.diagnostics.error(
        at: draft.place, field: "server", unparsable(draft.name),
        hint: "name its site and roles in columns; “-” means no role", client: client)
      return nil
    }
    return ServerConfig(
      name: draft.name, client: client, site: site, roles: roles,
      number: draft.number?.value ?? known(old?.number, unless: draft.number)
        ?? parts?.number ?? 0,
      updateOrder: draft.updateOrder.map(\.value) ?? old?.updateOrder,
      system: draft.system?.value ?? old?.system ?? "",
      physical: draft.physical?.value ?? old?.physical ?? false,
      resources: draft.resources?.value ?? old?.resources ?? [],
      tags: draft.tags?.value ?? old?.tags ?? [],
      after: draft.after?.value ?? old?.after ?? [],
      antiAffinity: draft.antiAffinity.map(\.value) ?? old?.antiAffinity,
      host: draft.host.map(\.value) ?? old?.host,
      migratesGuests: draft.migratesGuests?.value ?? old?.migratesGuests ?? false,
      carriesAtlas: draft.carriesAtlas?.value ?? old?.carriesAtlas ?? false)
  }

  /// What the fleet knows, unless the file says to take it from the host name.
  private func known<Value, Other>(_ value: Value?, unless given: Sourced<Other>?) -> Value? {
    given == nil ? value : nil
  }
}

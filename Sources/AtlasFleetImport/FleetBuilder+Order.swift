import AtlasModel

/// What servers say about each other: names that are there, and no circle.
extension FleetBuilder {
  /// Checks `after` of a client's servers as the fleet will have them.
  /// - Parameter own: Those that the files speak of.
  mutating func checkOrder(_ own: [ServerConfig], of client: ClientName) {
    guard own.contains(where: { !$0.after.isEmpty }) else { return }
    let drafts = serverDrafts(of: client)
    var all = Dictionary(
      existingServers(of: client).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for server in own { all[server.name] = server }
    for server in own {
      guard let draft = drafts[server.name] else { continue }
      for name in server.after where all[name] == nil {
        refuse(
          at: draft.after?.place ?? draft.place, field: "after",
          unknown(name, beside: server, among: all.keys), client: client)
      }
    }
    for server in own where !server.carriesAtlas {
      for name in server.after where all[name]?.carriesAtlas == true {
        let draft = drafts[server.name]
        refuse(
          at: draft.map { $0.after?.place ?? $0.place } ?? Place(file: 0, line: 0), field: "after",
          ValueError(
            message: "\(server.name) cannot come after \(name), which carries Atlas",
            hint: "that goes after all others of a campaign; leave it out"), client: client)
      }
    }
    guard let circle = ServerCircle.first(among: all, startingAt: own.map(\.name)) else { return }
    let place = circle.lazy.compactMap { drafts[$0] }.first.map { $0.after?.place ?? $0.place }
    refuse(
      at: place ?? Place(file: 0, line: 0), field: "after",
      ValueError(
        message: "the servers of \(client) wait for each other: "
          + (circle + circle.prefix(1)).map(\.text).joined(separator: " after "),
        hint: "leave one of them out"), client: client)
  }

  private func unknown(
    _ name: ServerName, beside server: ServerConfig, among known: some Sequence<ServerName>
  ) -> ValueError {
    if let other = existingServer(name) {
      return ValueError(
        message: "\(server.name) cannot come after \(name), a server of \(other.client)",
        hint: "an order is between servers of one client")
    }
    let names = known.map(\.text).sorted()
    return ValueError(
      message: "\(server.name) comes after \(name), which is not known",
      hint: Spelling.nearest(to: name.text, among: names).map { "did you mean \($0)?" }
        ?? "import it first, or in the same import")
  }
}

/// Hosts may be of any client, so that they are looked at when every client's servers are known.
extension FleetBuilder {
  /// Refuses the clients whose guests name a host that will not be there. That may take hosts of
  /// others away, so that it goes on until nothing more is refused.
  mutating func checkHosts(_ clients: inout [ClientConfig], _ servers: inout [ServerConfig]) {
    guard servers.contains(where: { $0.host != nil }) else { return }
    let guests = existingGuests
    var isSettled = false
    while !isSettled {
      isSettled = true
      let known = Dictionary(servers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
      for server in servers {
        guard let host = server.host,
          let problem = problem(of: server, on: host, known)
            ?? problem(of: server, on: host, carrying: guests.filter { known[$0.name] == nil })
        else { continue }
        let draft = serverDrafts(of: server.client)[server.name]
        let place = draft.map { $0.host?.place ?? $0.place } ?? Place(file: 0, line: 0)
        refuse(at: place, field: "host", problem, client: server.client)
        isSettled = false
      }
      clients.removeAll { isRefused($0.name) }
      servers.removeAll { isRefused($0.client) }
    }
  }

  private func problem(
    of server: ServerConfig, on host: ServerName, _ known: [ServerName: ServerConfig]
  ) -> ValueError? {
    guard host != server.name else {
      return ValueError(message: "\(host) is its own host", hint: "leave the host empty")
    }
    guard let config = known[host] ?? existingServer(host) else {
      let names = (existingNames + known.keys).map(\.text).sorted()
      return ValueError(
        message: "the host \(host) of \(server.name) is not known",
        hint: Spelling.nearest(to: host.text, among: names.filter { $0 != server.name.text })
          .map { "did you mean \($0)?" } ?? "import it first, or in the same import")
    }
    return config.host.map {
      ValueError(
        message: "the host \(host) of \(server.name) is itself a guest, of \($0)",
        hint: "name the server that really boots")
    }
  }
}

extension FleetBuilder {
  /// A host is no guest: not of those that it carries already, and that the files leave as they are.
  private func problem(
    of server: ServerConfig, on host: ServerName, carrying guests: [ServerConfig]
  ) -> ValueError? {
    guests.first { $0.host == server.name }.map {
      ValueError(
        message: "\(server.name) is the host of \($0.name) and cannot run on \(host)",
        hint: "name the server that really boots as the host of both")
    }
  }
}

/// Looks for servers that wait for each other.
enum ServerCircle {
  /// The first circle that can be reached from one of `starts`, in the order in which its servers
  /// wait for each other; nil when there is none.
  static func first(
    among servers: [ServerName: ServerConfig], startingAt starts: [ServerName]
  ) -> [ServerName]? {
    var isDone: Set<ServerName> = []
    for start in starts {
      var path = [Step(name: start)]
      while let last = path.last {
        let next = servers[last.name]?.after ?? []
        guard last.next < next.count else {
          isDone.insert(last.name)
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        let name = next[last.next]
        if let begin = path.firstIndex(where: { $0.name == name }) {
          return path[begin...].map(\.name)
        }
        if !isDone.contains(name) { path.append(Step(name: name)) }
      }
    }
    return nil
  }

  /// A server on the way, and which of its predecessors is looked at next.
  private struct Step {
    let name: ServerName
    var next = 0
  }
}

import AtlasModel

/// Which part of the fleet a campaign covers. A server must fit every field that is not empty.
package struct Selection: Hashable, Sendable {
  package var clients: [ClientName]
  package var rings: [Ring]
  package var sites: [SiteName]
  package var roles: [Role]
  package var servers: [ServerName]
  /// Servers that have one of them.
  package var tags: [Tag]
  /// Servers whose name fits one of them; at most ``Limits/namePatterns``.
  package var names: [NamePattern]
  /// Servers whose newest run in that campaign ended FAILED, NOT_ATTEMPTED or POSTPONED.
  package var failedIn: CampaignName?

  package init(
    clients: [ClientName] = [], rings: [Ring] = [], sites: [SiteName] = [], roles: [Role] = [],
    servers: [ServerName] = [], tags: [Tag] = [], names: [NamePattern] = [],
    failedIn: CampaignName? = nil
  ) {
    self.clients = clients
    self.rings = rings
    self.sites = sites
    self.roles = roles
    self.servers = servers
    self.tags = tags
    self.names = names
    self.failedIn = failedIn
  }

  /// What it says about a server itself; ``failedIn`` is about another campaign.
  func covers(_ server: ServerConfig, of client: ClientConfig) -> Bool {
    (clients.isEmpty || clients.contains(client.name))
      && (rings.isEmpty || rings.contains(client.ring))
      && (sites.isEmpty || sites.contains(server.site))
      && (roles.isEmpty || roles.contains { server.roles.contains($0) })
      && (servers.isEmpty || servers.contains(server.name))
      && (tags.isEmpty || tags.contains { server.tags.contains($0) })
      && (names.isEmpty || names.contains { $0.fits(server.name) })
  }

  /// What was asked for, in words: `ring 2; tag wave-3`. Empty for the whole fleet.
  package var text: String {
    var parts: [String] = []
    func add(_ word: String, _ values: [String]) {
      guard !values.isEmpty else { return }
      let shown = values.prefix(5).joined(separator: ", ")
      parts.append("\(word) \(shown)\(values.count > 5 ? ", …" : "")")
    }
    add("client", clients.map(\.text))
    add("ring", rings.map { "\($0)" })
    add("site", sites.map(\.text))
    add("role", roles.map(\.text))
    add("server", servers.map(\.text))
    add("tag", tags.map(\.text))
    add("name", names.map(\.text))
    add("failed in", failedIn.map { [$0.text] } ?? [])
    return parts.joined(separator: "; ")
  }
}

extension ControlState {
  /// The servers that a selection covers now, retired ones aside; by client, unordered.
  /// - Throws: ``Refusal`` when it covers none, or when one of its values covers none by itself.
  func selected(by selection: Selection) throws(Refusal) -> [[ServerID]] {
    guard selection.names.count <= Limits.namePatterns else {
      throw .limit("a selection has at most \(Limits.namePatterns) patterns of names")
    }
    if let name = selection.failedIn, campaignByName[name] == nil {
      throw .invalid(field: "failed_in", message: "there is no campaign \(name)")
    }
    try checkValues(of: selection)
    let chosen = covered(by: selection)
    guard chosen.allSatisfy(\.isEmpty) else { return chosen }
    let asked = selection.text.isEmpty ? "" : ": \(selection.text)"
    let failed = selection.failedIn.map { Selection(failedIn: $0) }
    let empty = failed.flatMap { covered(by: $0).allSatisfy(\.isEmpty) ? $0 : nil }
    throw .notAllowed(
      code: .nothingSelected, message: "the selection covers no server\(asked)",
      hint: empty.map { "no server at all: \($0.text)" } ?? "`atlas server list` shows the fleet")
  }

  private func covered(by selection: Selection) -> [[ServerID]] {
    let failed = selection.failedIn.flatMap { campaignByName[$0] }.map(failures)
    return clients.map { client in
      client.servers.filter {
        let server = servers[Int($0.index)]
        return !server.retired && failed?[Int($0.index)] ?? true
          && selection.covers(server.config, of: client.config)
      }
    }
  }

  /// By number of the server: whether its newest run in a campaign left it without its updates.
  private func failures(in id: CampaignID) -> [Bool] {
    var failed = [Bool](repeating: false, count: servers.count)
    for run in campaigns[Int(id.index)].runs {
      failed[Int(run.server.index)] = run.state.kind.isWithoutUpdates
    }
    return failed
  }
}

extension RunState.Kind {
  /// It has ended, and its server is worth another campaign.
  fileprivate var isWithoutUpdates: Bool {
    switch self {
    case .failed, .notAttempted, .postponed: true
    case .pending, .inProgress, .parked, .held, .completed, .skipped: false
    }
  }
}

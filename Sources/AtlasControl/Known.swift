import AtlasEngine
import AtlasModel

/// Names of requests become numbers; where nothing has the name, the nearest one is told.
extension ControlState {
  func id(of name: CampaignName) throws(ControlError) -> CampaignID {
    guard let id = campaign(named: name) else {
      throw notFound("campaign", name.text, campaigns.lazy.map(\.name.text))
    }
    return id
  }

  func id(of name: ClientName) throws(ControlError) -> ClientID {
    guard let id = client(named: name) else {
      throw notFound("client", name.text, clients.lazy.map(\.config.name.text))
    }
    return id
  }

  func id(of name: ServerName) throws(ControlError) -> ServerID {
    guard let id = server(named: name) else {
      throw notFound("server", name.text, servers.lazy.map(\.config.name.text))
    }
    return id
  }

  private func notFound(
    _ kind: String, _ name: String, _ known: some Collection<String>
  ) -> ControlError {
    let nearest =
      known.count > Limits.namesCompared ? nil : Spelling.nearest(to: name, among: known)
    return .notFound(kind: kind, name: name, nearest: nearest)
  }
}

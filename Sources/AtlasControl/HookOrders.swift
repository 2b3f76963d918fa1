import AtlasEngine
import AtlasModel

extension ControlState {
  /// The hook function that the engine wants, with everything that it may know.
  func order(_ start: HookStart) -> HookOrder {
    let run = self[start.run]
    let campaign = self[campaign: start.run.campaign]
    let server = self[server: run.server].config
    return HookOrder(
      ticket: HookTicket(run: start.run, serial: start.serial), point: start.point,
      key: hookKey(start), client: server.client, site: server.site,
      server: server.name, roles: server.roles, ring: campaign.lanes[Int(run.lane)].ring,
      campaign: campaign.name, attempt: Int(run.attempt), pass: Int(run.pass),
      phase: start.point == .finalize ? .finalize : run.state.phase ?? .preCheck,
      deadline: start.deadline,
      restarted: start.restarted, rollback: run.marks.contains(.rollback),
      updates: run.details.content.updates,
      snapshotID: snapshotID(of: start.run), group: server.antiAffinity,
      peers: peers(of: run.server), expires: start.expires, revision: campaign.hookRevision)
  }

  /// The other members of a server's group, by name.
  private func peers(of id: ServerID) -> [ServerName] {
    guard let group = self[server: id].config.antiAffinity else { return [] }
    return self[client: self[server: id].client].servers
      .filter { $0 != id && !self[server: $0].retired }
      .map { self[server: $0].config }.filter { $0.antiAffinity == group }.map(\.name).sorted()
  }
}

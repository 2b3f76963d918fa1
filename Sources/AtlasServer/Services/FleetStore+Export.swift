import AtlasControl
import AtlasEngine
import AtlasFleetImport
import AtlasModel
import AtlasWire
import GRPCCore

/// The fleet and the field's three lists, as files that an import reads back.
extension FleetStore {
  package func exportFleet(
    _ request: AtlasV1.ExportFleetRequest,
    responses: RPCWriter<AtlasV1.ExportFleetResponse>, context: ServerContext
  ) async throws {
    let (name, text) = try await file(request)
    let bytes = Array(text.utf8)
    var start = 0
    // An empty file is one piece, too: its name says which it is.
    repeat {
      let end = min(start + Self.exportPiece, bytes.count)
      try await responses.write(
        AtlasV1.ExportFleetResponse(
          piece: AtlasV1.Document(name: name, content: Array(bytes[start..<end]))))
      start = end
    } while start < bytes.count
  }

  /// Bytes of one message: well below what a client takes.
  private static let exportPiece = 64 << 10

  private func file(
    _ request: AtlasV1.ExportFleetRequest
  ) async throws(WireStatus) -> (name: String, text: String) {
    let json = request.json
    switch request.kind {
    case .servers: return ("servers.csv", FleetExport.serversCSV(try await fleet()))
    case .clients: return ("clients.yaml", FleetExport.clientsYAML(try await fleet()))
    case .orchestration:
      let rows = try await runs(request.campaign).map { OrchestrationRow($0) }
      return named("orchestration", FleetExport.csv(rows), FleetExport.json(rows), json)
    case .globalStatus:
      let rows = try await rings(request.campaign).map { GlobalStatusRow($0) }
      return named("global_status", FleetExport.csv(rows), FleetExport.json(rows), json)
    case .clientConfig:
      let rows = try await fleet().clients.map { ClientConfigRow($0) }
      return named("client_config", FleetExport.csv(rows), FleetExport.json(rows), json)
    case .unspecified, .unrecognized:
      throw WireStatus(
        invalid: "kind", "is servers, clients, orchestration, global status or client config")
    }
  }

  private func named(
    _ name: String, _ csv: @autoclosure () -> String, _ list: @autoclosure () -> String,
    _ json: Bool
  ) -> (String, String) {
    json ? ("\(name).json", list()) : ("\(name).csv", csv())
  }

  private func fleet() async throws(WireStatus) -> Fleet {
    guard case .fleet(let fleet, _) = try await core.read(.fleet) else {
      throw WireStatus.wrongAnswer
    }
    return fleet
  }

  private func runs(_ campaign: String) async throws(WireStatus) -> [RunView] {
    let name: CampaignName = try Field.name(campaign, "campaign")
    var all: [RunView] = []
    var next: Int? = 0
    while let after = next {
      let read = Read.runs(name, RunFilter(), after: after, limit: Limits.page)
      guard case .runs(let views, let more) = try await core.read(read) else {
        throw WireStatus.wrongAnswer
      }
      all += views
      next = more
    }
    return all
  }

  private func rings(_ campaign: String) async throws(WireStatus) -> [RingView] {
    let name: CampaignName = try Field.name(campaign, "campaign")
    guard case .rings(let rings) = try await core.read(.rings(name)) else {
      throw WireStatus.wrongAnswer
    }
    return rings
  }
}

extension OrchestrationRow {
  fileprivate init(_ view: RunView) {
    let error = view.run.details.content.lastError
    self.init(
      clientName: view.client.text, siteName: view.site.text, serverName: view.server.text,
      updateOrder: view.order,
      updateStatus: FieldUpdateStatus(rawValue: view.run.state.fieldStatus) ?? .pending,
      updateStartTime: view.run.startedAt, updateEndTime: view.run.endedAt,
      updateLocked: view.locked,
      lastError: error.isEmpty ? view.waitsFor : error)
  }
}

extension GlobalStatusRow {
  fileprivate init(_ view: RingView) {
    let status: FieldRingStatus =
      switch view.status {
      case .waiting: .waiting
      case .active: .active
      case .completed: .completed
      }
    self.init(
      ringName: view.name, status: status, serversTotal: view.counts.total,
      serversCompleted: view.counts[.completed], startTime: view.startedAt,
      completionTime: view.completedAt)
  }
}

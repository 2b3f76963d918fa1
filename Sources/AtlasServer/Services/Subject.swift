import AtlasControl
import AtlasModel
import AtlasStore
import AtlasWire

/// What a list of the history is wanted about; empty names stand for everything.
struct Subject {
  let filter: RecordFilter

  init(_ campaign: String, _ client: String, _ server: String) {
    filter = RecordFilter(
      campaign: campaign.isEmpty ? nil : campaign, client: client.isEmpty ? nil : client,
      server: server.isEmpty ? nil : server)
  }
}

extension ServiceCore {
  /// Asked where nothing was found: an empty list about something that does not exist would be
  /// taken for good news. What has left the fleet keeps its history, so it is not asked before.
  ///
  /// - Throws: `WireStatus` for the first name that nothing has.
  func demandKnown(_ subject: Subject) async throws(WireStatus) {
    if let name = subject.filter.campaign {
      _ = try await read(.campaign(try Field.name(name, "campaign")))
    }
    if let name = subject.filter.client {
      _ = try await read(.client(try Field.name(name, "client")))
    }
    if let name = subject.filter.server {
      _ = try await read(.server(try Field.name(name, "server")))
    }
  }
}

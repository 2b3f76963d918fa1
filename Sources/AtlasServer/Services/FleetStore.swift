import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasWire
import GRPCCore

/// `atlas.v1.FleetService`: clients and servers. Import and export are in an extension.
package struct FleetStore: AtlasV1.FleetService.Server {
  let core: ServiceCore

  package init(_ core: ServiceCore) { self.core = core }

  package func listClients(
    _ request: AtlasV1.ListClientsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListClientsResponse {
    let read = Read.clients(
      after: request.pageToken, limit: try Field.pageSize(request.pageSize))
    guard case .clients(let views, let next) = try await core.read(read) else {
      throw WireStatus.wrongAnswer
    }
    return AtlasV1.ListClientsResponse(clients: views.map { .init($0) }, nextPageToken: next)
  }

  package func getClient(
    _ request: AtlasV1.GetClientRequest, context: ServerContext
  ) async throws -> AtlasV1.GetClientResponse {
    let name: ClientName = try Field.name(request.client, "client")
    return AtlasV1.GetClientResponse(client: try await core.read(.client(name)).client)
  }

  package func pauseClient(
    _ request: AtlasV1.PauseClientRequest, context: ServerContext
  ) async throws -> AtlasV1.PauseClientResponse {
    try await core.change(
      .pauseClient(
        try Field.name(request.client, "client"), reason: try Field.reason(request.reason)),
      request, requestID: request.requestID, context)
  }

  package func resumeClient(
    _ request: AtlasV1.ResumeClientRequest, context: ServerContext
  ) async throws -> AtlasV1.ResumeClientResponse {
    try await core.change(
      .resumeClient(try Field.name(request.client, "client")), request,
      requestID: request.requestID, context)
  }

  package func listServers(
    _ request: AtlasV1.ListServersRequest, context: ServerContext
  ) async throws -> AtlasV1.ListServersResponse {
    let read = Read.servers(
      try Field.optionalName(request.client, "client"), after: request.pageToken,
      limit: try Field.pageSize(request.pageSize))
    guard case .servers(let views, let next) = try await core.read(read) else {
      throw WireStatus.wrongAnswer
    }
    return AtlasV1.ListServersResponse(servers: views.map { .init($0) }, nextPageToken: next)
  }

  package func getServer(
    _ request: AtlasV1.GetServerRequest, context: ServerContext
  ) async throws -> AtlasV1.GetServerResponse {
    let name: ServerName = try Field.name(request.server, "server")
    return AtlasV1.GetServerResponse(server: try await core.read(.server(name)).server)
  }

  package func postponeClient(
    _ request: AtlasV1.PostponeClientRequest, context: ServerContext
  ) async throws -> AtlasV1.PostponeClientResponse {
    try await core.change(
      .postponeClient(
        try Field.name(request.client, "client"), until: request.until.map { Instant($0) },
        reason: try Field.reason(request.reason)),
      request, requestID: request.requestID, context)
  }

  package func lockServer(
    _ request: AtlasV1.LockServerRequest, context: ServerContext
  ) async throws -> AtlasV1.LockServerResponse {
    let until = request.until.map { Instant($0) }
    if let until, until <= core.pump.campaignTime {
      throw WireStatus(invalid: "until", "\(until.words) is over; give a later time, or none")
    }
    return try await core.change(
      .lockServer(
        try Field.name(request.server, "server"),
        reason: try Field.reason(request.reason, required: true), until: until,
        ticket: request.ticket.bounded(to: 64)),
      request, requestID: request.requestID, context)
  }

  package func unlockServer(
    _ request: AtlasV1.UnlockServerRequest, context: ServerContext
  ) async throws -> AtlasV1.UnlockServerResponse {
    try await core.change(
      .unlockServer(try Field.name(request.server, "server")), request,
      requestID: request.requestID, context)
  }

  package func retireServer(
    _ request: AtlasV1.RetireServerRequest, context: ServerContext
  ) async throws -> AtlasV1.RetireServerResponse {
    try await core.change(
      .retireServer(
        try Field.name(request.server, "server"),
        reason: try Field.reason(request.reason, required: true)),
      request, requestID: request.requestID, context)
  }

  package func dismissServer(
    _ request: AtlasV1.DismissServerRequest, context: ServerContext
  ) async throws -> AtlasV1.DismissServerResponse {
    try await core.change(
      .dismissServer(
        try Field.name(request.server, "server"),
        reason: try Field.reason(request.reason, required: true)),
      request, requestID: request.requestID, context)
  }

  package func recallServer(
    _ request: AtlasV1.RecallServerRequest, context: ServerContext
  ) async throws -> AtlasV1.RecallServerResponse {
    try await core.change(
      .recallServer(try Field.name(request.server, "server")), request,
      requestID: request.requestID, context)
  }

  package func declareOutage(
    _ request: AtlasV1.DeclareOutageRequest, context: ServerContext
  ) async throws -> AtlasV1.DeclareOutageResponse {
    guard let until = request.until else {
      throw WireStatus(invalid: "until", "is missing: when is the client's outage over?")
    }
    return try await core.change(
      .declareOutage(
        try Field.name(request.client, "client"), from: request.from.map { Instant($0) },
        until: Instant(until), parallel: request.parallel.map { Int($0) },
        reason: try Field.reason(request.reason, required: true)),
      request, requestID: request.requestID, context)
  }

  package func endOutage(
    _ request: AtlasV1.EndOutageRequest, context: ServerContext
  ) async throws -> AtlasV1.EndOutageResponse {
    try await core.change(
      .endOutage(try Field.name(request.client, "client")), request,
      requestID: request.requestID, context)
  }

  package func listWindows(
    _ request: AtlasV1.ListWindowsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListWindowsResponse {
    guard (0...100).contains(request.count) else {
      throw WireStatus(invalid: "count", "is 0 to 100; 0 means 10")
    }
    let client: ClientName = try Field.name(request.client, "client")
    let from = request.from.map { Instant($0) }
    let count = request.count == 0 ? 10 : Int(request.count)
    guard
      case .windows(let windows, let zone, let openNow) = try await core.read(
        .windows(client, from: from, count: count)),
      case .clientWindows(let found, _, _, _) = try await core.read(
        .clientWindows(client, from: from, count: count))
    else { throw WireStatus.wrongAnswer }
    return AtlasV1.ListWindowsResponse(
      windows: windows.map { .init($0) }, zone: zone, openNow: openNow,
      openings: found.openings.map { .init($0) }, alwaysOpen: found.isAlwaysOpen)
  }
}

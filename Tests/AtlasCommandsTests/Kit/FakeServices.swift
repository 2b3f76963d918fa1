import AtlasWire
import GRPCCore

/// The fleet of the fake daemon.
struct FakeFleet: AtlasV1.FleetService.Server {
  let atlas: FakeAtlas

  func importFleet(
    _ requests: RPCAsyncSequence<AtlasV1.ImportFleetRequest, any Error>, context: ServerContext
  ) async throws -> AtlasV1.ImportFleetResponse {
    var isDryRun = false
    for try await request in requests {
      atlas.note(request)
      if case .options(let options)? = request.payload { isDryRun = options.dryRun }
    }
    var answer = atlas.world.importAnswer
    answer.applied = !isDryRun
    return answer
  }

  func exportFleet(
    _ request: AtlasV1.ExportFleetRequest, responses: RPCWriter<AtlasV1.ExportFleetResponse>,
    context: ServerContext
  ) async throws {
    atlas.note(request)
    for server in atlas.world.servers {
      let row = Array("\(server.client),\(server.name)\n".utf8)
      try await responses.write(.init(piece: .init(name: "servers.csv", content: row)))
    }
  }

  func listClients(
    _ request: AtlasV1.ListClientsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListClientsResponse {
    atlas.note(request)
    let page = try Pages.page(atlas.world.clients, request.pageSize, request.pageToken)
    return AtlasV1.ListClientsResponse(clients: page.rows, nextPageToken: page.next)
  }

  func getClient(
    _ request: AtlasV1.GetClientRequest, context: ServerContext
  ) async throws -> AtlasV1.GetClientResponse {
    AtlasV1.GetClientResponse(client: try client(request.client))
  }

  func updateClient(
    _ request: AtlasV1.UpdateClientRequest, context: ServerContext
  ) async throws -> AtlasV1.UpdateClientResponse {
    AtlasV1.UpdateClientResponse(client: request.client)
  }

  func pauseClient(
    _ request: AtlasV1.PauseClientRequest, context: ServerContext
  ) async throws -> AtlasV1.PauseClientResponse {
    atlas.note(request)
    return AtlasV1.PauseClientResponse(client: try client(request.client))
  }

  func postponeClient(
    _ request: AtlasV1.PostponeClientRequest, context: ServerContext
  ) async throws -> AtlasV1.PostponeClientResponse {
    atlas.note(request)
    var client = try client(request.client)
    client.postponed = AtlasV1.Latch(
      reason: request.reason, until: request.until ?? .init(seconds: 1_800_000_000))
    return AtlasV1.PostponeClientResponse(
      client: client,
      inFlight: [
        .init(
          campaign: "november", server: "LAA-PARIS-WEB01", phase: .update,
          ends: .init(seconds: 1_790_000_000))
      ])
  }

  func resumeClient(
    _ request: AtlasV1.ResumeClientRequest, context: ServerContext
  ) async throws -> AtlasV1.ResumeClientResponse {
    atlas.note(request)
    return AtlasV1.ResumeClientResponse(client: try client(request.client))
  }

  func listServers(
    _ request: AtlasV1.ListServersRequest, context: ServerContext
  ) async throws -> AtlasV1.ListServersResponse {
    let servers = atlas.world.servers.filter {
      request.client.isEmpty || $0.client == request.client
    }
    let page = try Pages.page(servers, request.pageSize, request.pageToken)
    return AtlasV1.ListServersResponse(servers: page.rows, nextPageToken: page.next)
  }

  func getServer(
    _ request: AtlasV1.GetServerRequest, context: ServerContext
  ) async throws -> AtlasV1.GetServerResponse {
    AtlasV1.GetServerResponse(server: try server(request.server))
  }

  func lockServer(
    _ request: AtlasV1.LockServerRequest, context: ServerContext
  ) async throws -> AtlasV1.LockServerResponse {
    atlas.note(request)
    return AtlasV1.LockServerResponse(server: try server(request.server))
  }

  func unlockServer(
    _ request: AtlasV1.UnlockServerRequest, context: ServerContext
  ) async throws -> AtlasV1.UnlockServerResponse {
    atlas.note(request)
    return AtlasV1.UnlockServerResponse(server: try server(request.server))
  }

  func retireServer(
    _ request: AtlasV1.RetireServerRequest, context: ServerContext
  ) async throws -> AtlasV1.RetireServerResponse {
    atlas.note(request)
    return AtlasV1.RetireServerResponse(server: try server(request.server))
  }

  func dismissServer(
    _ request: AtlasV1.DismissServerRequest, context: ServerContext
  ) async throws -> AtlasV1.DismissServerResponse {
    atlas.note(request)
    var server = try server(request.server)
    server.dismissed = AtlasV1.Latch(reason: request.reason, principal: "anna")
    return AtlasV1.DismissServerResponse(server: server)
  }

  func recallServer(
    _ request: AtlasV1.RecallServerRequest, context: ServerContext
  ) async throws -> AtlasV1.RecallServerResponse {
    atlas.note(request)
    var server = try server(request.server)
    server.unexplained = "no contact since 22:10"
    return AtlasV1.RecallServerResponse(server: server)
  }

  func declareOutage(
    _ request: AtlasV1.DeclareOutageRequest, context: ServerContext
  ) async throws -> AtlasV1.DeclareOutageResponse {
    atlas.note(request)
    var client = try client(request.client)
    client.outage = AtlasV1.Outage(
      from: request.from ?? .init(seconds: 1_790_000_000), until: request.until,
      parallel: request.parallel, reason: request.reason, principal: "anna")
    return AtlasV1.DeclareOutageResponse(client: client)
  }

  func endOutage(
    _ request: AtlasV1.EndOutageRequest, context: ServerContext
  ) async throws -> AtlasV1.EndOutageResponse {
    atlas.note(request)
    return AtlasV1.EndOutageResponse(client: try client(request.client))
  }

  func listWindows(
    _ request: AtlasV1.ListWindowsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListWindowsResponse {
    atlas.note(request)
    _ = try client(request.client)
    return atlas.world.windows
  }

  private func client(_ name: String) throws(WireStatus) -> AtlasV1.ClientInfo {
    if let client = atlas.world.clients.first(where: { $0.name == name }) { return client }
    throw WireStatus(.notFound, "there is no client “\(name)”")
  }

  private func server(_ name: String) throws(WireStatus) -> AtlasV1.ServerInfo {
    if let server = atlas.world.servers.first(where: { $0.name == name }) { return server }
    throw WireStatus(.notFound, "there is no server “\(name)”")
  }
}

/// The emergency stop of the fake daemon.
struct FakeSafety: AtlasV1.SafetyService.Server {
  let atlas: FakeAtlas

  func emergencyStop(
    _ request: AtlasV1.EmergencyStopRequest, context: ServerContext
  ) async throws -> AtlasV1.EmergencyStopResponse {
    atlas.note(request)
    return atlas.change { world in
      let stop = AtlasV1.Stop(
        client: request.client, fence: 42, reason: request.reason, principal: "anna",
        since: world.time())
      world.stops.append(stop)
      for index in world.campaigns.indices {
        world.campaigns[index].flags.append(
          .init(
            kind: "stopped", scope: request.client.isEmpty ? "fleet" : "client \(request.client)",
            reason: request.reason, principal: "anna", since: world.time()))
      }
      world.note("stop.latched", reason: request.reason, by: "anna")
      return .init(stop: stop, inFlight: world.counts(of: "november").inProgress)
    }
  }

  func releaseStop(
    _ request: AtlasV1.ReleaseStopRequest, context: ServerContext
  ) async throws -> AtlasV1.ReleaseStopResponse {
    atlas.note(request)
    return try atlas.change { world in
      guard let index = world.stops.firstIndex(where: { $0.client == request.client }) else {
        throw WireStatus(.failedPrecondition, "nothing is stopped", reason: "NOT_STOPPED")
      }
      let stop = world.stops.remove(at: index)
      for index in world.campaigns.indices {
        world.campaigns[index].flags.removeAll { $0.kind == "stopped" }
      }
      return .init(released: stop, pausedCampaigns: world.campaigns.map(\.name))
    }
  }

  func getStop(
    _ request: AtlasV1.GetStopRequest, context: ServerContext
  ) async throws -> AtlasV1.GetStopResponse {
    let counts = atlas.world.counts(of: "november")
    return AtlasV1.GetStopResponse(
      stops: atlas.world.stops, parked: counts.parked, inFlight: counts.inProgress)
  }
}

/// The figures of the fake daemon; its streams send when the world changes.
struct FakeMetrics: AtlasV1.MetricsService.Server {
  let atlas: FakeAtlas

  func getMetrics(
    _ request: AtlasV1.GetMetricsRequest, context: ServerContext
  ) async throws -> AtlasV1.GetMetricsResponse {
    .init(
      metrics: try atlas.world.metrics(
        request.campaign, client: request.client, details: request.details))
  }

  func streamMetrics(
    _ request: AtlasV1.StreamMetricsRequest, responses: RPCWriter<AtlasV1.StreamMetricsResponse>,
    context: ServerContext
  ) async throws {
    atlas.note(request)
    let changes = atlas.changes()
    var wakes = changes.makeAsyncIterator()
    var last: AtlasV1.Metrics?
    repeat {
      let now = try atlas.world.metrics(
        request.campaign, client: request.client, details: request.details)
      var delta = now
      if let last {
        delta.rings.removeAll(where: last.rings.contains)
        delta.clientMetrics.removeAll(where: last.clientMetrics.contains)
      }
      try await responses.write(.init(metrics: delta, snapshot: last == nil))
      last = now
    } while await wakes.next() != nil
  }
}

/// The hooks of the fake daemon.
struct FakeHooks: AtlasV1.HookService.Server {
  let atlas: FakeAtlas

  func listHooks(
    _ request: AtlasV1.ListHooksRequest, context: ServerContext
  ) async throws -> AtlasV1.ListHooksResponse {
    AtlasV1.ListHooksResponse(revision: atlas.world.hooks)
  }

  func reloadHooks(
    _ request: AtlasV1.ReloadHooksRequest, context: ServerContext
  ) async throws -> AtlasV1.ReloadHooksResponse {
    atlas.note(request)
    let world = atlas.world
    return AtlasV1.ReloadHooksResponse(
      revision: world.hooks, diagnostics: world.hookDiagnostics,
      reloaded: world.hookDiagnostics.allSatisfy(\.warning))
  }

  func checkHooks(
    _ request: AtlasV1.CheckHooksRequest, context: ServerContext
  ) async throws -> AtlasV1.CheckHooksResponse {
    AtlasV1.CheckHooksResponse(
      diagnostics: atlas.world.hookDiagnostics, files: Int32(atlas.world.hooks.files.count))
  }

  func listHookRuns(
    _ request: AtlasV1.ListHookRunsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListHookRunsResponse {
    atlas.note(request)
    let runs = atlas.world.hookRuns
    let page = try Pages.page(
      request.descending ? runs.reversed() : runs, request.pageSize, request.pageToken)
    return AtlasV1.ListHookRunsResponse(hookRuns: page.rows, nextPageToken: page.next)
  }

  func watchHookLogs(
    _ request: AtlasV1.WatchHookLogsRequest,
    responses: RPCWriter<AtlasV1.WatchHookLogsResponse>, context: ServerContext
  ) async throws {
    for line in atlas.world.hookLogs { try await responses.write(line) }
  }
}

/// The log of the fake daemon.
struct FakeAudit: AtlasV1.AuditService.Server {
  let atlas: FakeAtlas

  func listAuditRecords(
    _ request: AtlasV1.ListAuditRecordsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListAuditRecordsResponse {
    atlas.note(request)
    var records = atlas.world.records.filter { record in
      (request.campaign.isEmpty || record.campaign == request.campaign)
        && (request.client.isEmpty || record.client == request.client)
        && (request.server.isEmpty || record.server == request.server)
    }
    if request.descending { records.reverse() }
    let page = try Pages.page(records, request.pageSize, request.pageToken)
    return AtlasV1.ListAuditRecordsResponse(records: page.rows, nextPageToken: page.next)
  }

  func verifyAudit(
    _ request: AtlasV1.VerifyAuditRequest, context: ServerContext
  ) async throws -> AtlasV1.VerifyAuditResponse { atlas.world.audit }

  func getEvidenceKey(
    _ request: AtlasV1.GetEvidenceKeyRequest, context: ServerContext
  ) async throws -> AtlasV1.GetEvidenceKeyResponse {
    .init(algorithm: "Ed25519", fingerprint: "5f2c")
  }
}

/// The standard health service.
struct FakeHealth: GRPCHealthV1.Health.Server {
  let atlas: FakeAtlas

  func check(
    _ request: GRPCHealthV1.HealthCheckRequest, context: ServerContext
  ) async throws -> GRPCHealthV1.HealthCheckResponse {
    .init(status: atlas.world.health)
  }

  func watch(
    _ request: GRPCHealthV1.HealthCheckRequest,
    responses: RPCWriter<GRPCHealthV1.HealthCheckResponse>, context: ServerContext
  ) async throws {
    try await responses.write(.init(status: atlas.world.health))
  }
}

/// The reflection service: the names of the services, and nothing more.
struct FakeReflection: GRPCReflectionV1.ServerReflection.Server {
  func serverReflectionInfo(
    _ requests: RPCAsyncSequence<GRPCReflectionV1.ServerReflectionRequest, any Error>,
    responses: RPCWriter<GRPCReflectionV1.ServerReflectionResponse>, context: ServerContext
  ) async throws {
    let names = ["Campaign", "Fleet", "Safety", "Metrics", "Hook", "Audit"]
    for try await _ in requests {
      try await responses.write(
        .init(
          messageResponse: .listServicesResponse(
            .init(service: names.map { .init(name: "atlas.v1.\($0)Service") }))))
    }
  }
}

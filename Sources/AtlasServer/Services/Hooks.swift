import AtlasHooks
import AtlasModel
import AtlasRuntime
import AtlasStore
import AtlasWire
import GRPCCore

/// `atlas.v1.HookService`: the hook files, what their runs did, and what they say.
package struct Hooks: AtlasV1.HookService.Server {
  private let core: ServiceCore
  private let catalog: (any HookCatalog)?
  private let feed: HookLogFeed

  /// - Parameter catalog: Nil for a daemon without hooks.
  package init(_ core: ServiceCore, catalog: (any HookCatalog)?, feed: HookLogFeed) {
    self.core = core
    self.catalog = catalog
    self.feed = feed
  }

  package func listHooks(
    _ request: AtlasV1.ListHooksRequest, context: ServerContext
  ) async throws -> AtlasV1.ListHooksResponse {
    let listing = await catalog?.current()
    return AtlasV1.ListHooksResponse(revision: listing.map { .init($0) })
  }

  package func checkHooks(
    _ request: AtlasV1.CheckHooksRequest, context: ServerContext
  ) async throws -> AtlasV1.CheckHooksResponse {
    let catalog = try needCatalog()
    do throws(HookCatalogError) {
      let check = try await catalog.check()
      return AtlasV1.CheckHooksResponse(
        diagnostics: check.findings.map { .init($0) }, files: Int32(check.files))
    } catch {
      throw WireStatus(.failedPrecondition, error.description)
    }
  }

  package func reloadHooks(
    _ request: AtlasV1.ReloadHooksRequest, context: ServerContext
  ) async throws -> AtlasV1.ReloadHooksResponse {
    let catalog = try needCatalog()
    var caller = try core.caller(
      of: AtlasV1.ReloadHooksResponse.self, request.requestID
    ) { request.encode() }
    if let first: AtlasV1.ReloadHooksResponse = try await core.recall(caller) { return first }
    let reload: HookReload
    do throws(HookCatalogError) {
      reload = try await catalog.reload()
    } catch {
      throw WireStatus(.failedPrecondition, error.description)
    }
    let response = AtlasV1.ReloadHooksResponse(
      revision: .init(reload.listing), diagnostics: reload.check.findings.map { .init($0) },
      reloaded: reload.isReloaded)
    guard reload.isReloaded else { return response }
    caller.encodedAnswer = response.encode()
    return try await core.carryOut(
      .loadHooks(revision: reload.listing.revision.text, caller), caller)
  }

  package func listHookRuns(
    _ request: AtlasV1.ListHookRunsRequest, context: ServerContext
  ) async throws -> AtlasV1.ListHookRunsResponse {
    let limit = try Field.pageSize(request.pageSize)
    let token = Int64(clamping: try Field.numberToken(request.pageToken))
    let subject = Subject(request.campaign, request.client, request.server)
    var runs: [AtlasV1.HookRun] = []
    do throws(StoreError) {
      let rows =
        request.descending
        ? try await core.store.hookRuns(
          before: token == 0 ? nil : token, limit: limit, filter: subject.filter)
        : try await core.store.hookRuns(after: token, limit: limit, filter: subject.filter)
      for (id, row) in rows { runs.append(try .init(id, row)) }
    } catch {
      throw WireStatus(error)
    }
    if runs.isEmpty, token == 0 { try await core.demandKnown(subject) }
    return AtlasV1.ListHookRunsResponse(
      hookRuns: runs,
      nextPageToken: runs.count == limit ? runs.last.map { String($0.id) } ?? "" : "")
  }

  package func watchHookLogs(
    _ request: AtlasV1.WatchHookLogsRequest,
    responses: RPCWriter<AtlasV1.WatchHookLogsResponse>, context: ServerContext
  ) async throws {
    try await core.demandKnown(Subject(request.campaign, request.client, ""))
    let lines = feed.watch(
      campaign: try Field.optionalName(request.campaign, "campaign"),
      client: try Field.optionalName(request.client, "client"))
    guard let lines else {
      throw WireStatus(
        .resourceExhausted, "\(Limits.logWatchers) others watch already; try again later")
    }
    for await line in lines { try await responses.write(.init(line)) }
    guard !Task.isCancelled else { return }
    throw WireStatus(.unavailable, "the daemon is shutting down")
  }

  private func needCatalog() throws(WireStatus) -> any HookCatalog {
    guard let catalog else {
      throw WireStatus(
        .failedPrecondition, "the daemon runs without hooks; it is started with --hooks DIR")
    }
    return catalog
  }
}

extension AtlasV1.HookRevision {
  fileprivate init(_ listing: HookListing) {
    self.init(
      id: listing.revision.text,
      loadedAt: .init(millisecondsSinceEpoch: listing.loadedAt.milliseconds),
      files: listing.files.map {
        .init(path: $0.path, functions: $0.functions.map(\.rawValue), sha256: $0.sha256)
      })
  }
}

extension AtlasV1.Diagnostic {
  fileprivate init(_ finding: HookCheck.Finding) {
    self.init(
      file: finding.file, line: Int32(clamping: finding.line), message: finding.message,
      warning: finding.isWarning)
  }
}

extension AtlasV1.HookRun {
  fileprivate init(_ id: Int64, _ row: HookRunRow) throws(StoreError) {
    self.init(
      id: UInt64(id), key: row.key, campaign: row.campaign, client: row.client,
      server: row.server, point: row.point, attempt: Int32(clamping: row.attempt),
      outcome: row.outcome, message: row.message, errorKind: row.errorKind, file: row.file,
      line: Int32(clamping: row.line), revision: row.revision,
      startedAt: .init(millisecondsSinceEpoch: row.startedAt.milliseconds),
      took: .init(Duration.milliseconds(row.tookMilliseconds)),
      cpu: .init(Duration.microseconds(row.cpuMicroseconds)),
      peakMemoryBytes: row.peakMemoryBytes,
      calls: try row.callCounts().map {
        .init(name: $0.name, count: Int32(clamping: $0.count), errors: Int32(clamping: $0.errors))
      },
      traceback: row.traceback)
  }
}

extension AtlasV1.WatchHookLogsResponse {
  fileprivate init(_ line: HookLogRecord) {
    self.init(
      campaignTime: .init(millisecondsSinceEpoch: line.time.milliseconds),
      campaign: line.campaign.text, client: line.client.text,
      server: line.server.text, point: line.point.rawValue, level: line.level.rawValue,
      message: line.message,
      fields: Dictionary(line.fields.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }))
  }
}

import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasRuntime
import AtlasWire
import GRPCCore

/// Looking at every server of a campaign before the night, and changing nothing.
extension Campaigns {
  /// Servers that are looked at at once: hooks ask the backup service of their client, and an agent
  /// takes seconds to look around.
  private static let atOnce = 64
  /// Real time that an agent has to answer; its own look may take 30 s.
  private static let patience = Duration.seconds(35)
  /// Servers in one message, far from its largest size.
  private static let perMessage = 20

  package func preflightCampaign(
    _ request: AtlasV1.PreflightCampaignRequest,
    responses: RPCWriter<AtlasV1.PreflightCampaignResponse>, context: ServerContext
  ) async throws {
    let name: CampaignName = try Field.name(request.campaign, "campaign")
    let client: ClientName? = try Field.optionalName(request.client, "client")
    if let client { _ = try await core.read(.client(client)) }
    let subjects = try await subjects(of: name, client)
    var summary = AtlasV1.PreflightSummary(servers: Int32(clamping: subjects.count))
    var page: [AtlasV1.PreflightServer] = []
    try await withThrowingTaskGroup(of: PreflightServer.self) { group in
      var next = subjects.makeIterator()
      for _ in 0..<Self.atOnce {
        guard let subject = next.next() else { break }
        group.addTask { await look(at: subject) }
      }
      while let server = try await group.next() {
        if let subject = next.next() { group.addTask { await look(at: subject) } }
        summary.count(server.verdict)
        guard request.all || !server.findings.isEmpty else { continue }
        page.append(.init(server))
        if page.count == Self.perMessage {
          try await responses.write(.init(servers: page))
          page = []
        }
      }
    }
    try await responses.write(.init(servers: page, summary: summary))
  }

  private func subjects(
    of name: CampaignName, _ client: ClientName?
  ) async throws -> [PreflightSubject] {
    let snapshot = try await snapshot()
    let prepared = try await core.bench.work {
      Result { () throws(ControlError) in try snapshot.preflight(name) }
    }
    do {
      return try prepared.get().filter { client == nil || $0.client == client }
    } catch {
      throw WireStatus(error)
    }
  }

  private func look(at subject: PreflightSubject) async -> PreflightServer {
    async let probe = core.pump.probe(
      subject.server, subject.updateSet, within: Self.patience)
    var hooks: [HookPoint: HookVerdict] = [:]
    for order in subject.hooks {
      let verdict = await core.pump.dryRun(order)
      hooks[order.point] = verdict
    }
    return subject.judged(
      await probe, hooks: hooks, hasSnapshotHook: core.pump.defines(.snapshot, subject.client))
  }
}

extension AtlasV1.PreflightSummary {
  fileprivate mutating func count(_ verdict: PreflightVerdict) {
    switch verdict {
    case .ready: ready += 1
    case .refused: refused += 1
    case .needsPerson: needsPerson += 1
    }
  }
}

extension AtlasV1.PreflightServer {
  init(_ server: PreflightServer) {
    self.init(
      server: server.server.text, client: server.client.text, ring: Int32(server.ring.number),
      verdict: .init(server.verdict),
      findings: server.findings.map {
        .init(check: $0.check.rawValue, verdict: .init($0.verdict), text: $0.text)
      })
  }
}

extension AtlasV1.PreflightVerdict {
  fileprivate init(_ verdict: PreflightVerdict) {
    switch verdict {
    case .ready: self = .ready
    case .refused: self = .refused
    case .needsPerson: self = .needsPerson
    }
  }
}

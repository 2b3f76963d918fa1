import AtlasControl
import AtlasFleetImport
import AtlasModel
import AtlasWire
import GRPCCore

/// Files into the fleet, and the fleet into files.
extension FleetStore {
  package func importFleet(
    _ requests: RPCAsyncSequence<AtlasV1.ImportFleetRequest, any Error>, context: ServerContext
  ) async throws -> AtlasV1.ImportFleetResponse {
    let (options, documents) = try await receive(requests)
    var caller = try core.caller(
      of: AtlasV1.ImportFleetResponse.self, options.dryRun ? "" : options.requestID
    ) { Self.content(options, documents) }
    if let first: AtlasV1.ImportFleetResponse = try await core.recall(caller) { return first }
    guard case .fleet(let existing, let version) = try await core.read(.fleet) else {
      throw WireStatus.wrongAnswer
    }
    let now = core.pump.campaignTime
    let result = try await core.bench.work {
      FleetImport.read(documents: documents, over: existing, now: now)
    }
    var response = AtlasV1.ImportFleetResponse(result)
    let refused = result.hasErrors && options.requireAll
    guard !options.dryRun, !refused, !result.changes.isEmpty else { return response }
    response.applied = true
    let clients = Set(existing.clients)
    let servers = Set(existing.servers)
    let change = Change.importFleet(
      clients: result.fleet.clients.filter { !clients.contains($0) },
      servers: result.fleet.servers.filter { !servers.contains($0) },
      ringNames: result.fleet.ringNames, ifVersion: version)
    caller.encodedAnswer = response.encode()
    return try await core.carryOut(.change(change, caller), caller)
  }

  /// The whole request, with nothing that could stand for two: every part has its length in front.
  private static func content(
    _ options: AtlasV1.ImportOptions, _ documents: [SourceDocument]
  ) -> [UInt8] {
    var content: [UInt8] = []
    for part in [options.encode()] + documents.flatMap({ [Array($0.name.utf8), $0.bytes] }) {
      withUnsafeBytes(of: UInt64(part.count).littleEndian) { content += $0 }
      content += part
    }
    return content
  }

  /// Options first, then the documents in pieces of the same name.
  private func receive(
    _ requests: RPCAsyncSequence<AtlasV1.ImportFleetRequest, any Error>
  ) async throws -> (AtlasV1.ImportOptions, [SourceDocument]) {
    var options: AtlasV1.ImportOptions?
    var documents: [SourceDocument] = []
    var size = 0
    for try await request in requests {
      switch request.payload {
      case .options(let given):
        guard options == nil, documents.isEmpty else {
          throw WireStatus(invalid: "options", "come once, and first")
        }
        options = given
      case .piece(let piece):
        size += piece.content.count
        guard size <= Self.largestImport else {
          throw WireStatus(
            .resourceExhausted, "an import is at most \(Self.largestImport >> 20) MiB",
            reason: "LIMIT", metadata: ["hint": "import a part of the clients at a time"])
        }
        if documents.last?.name == piece.name {
          documents[documents.count - 1].bytes += piece.content
        } else {
          documents.append(SourceDocument(name: piece.name, bytes: piece.content))
        }
      case nil: throw WireStatus(invalid: "payload", "is missing")
      }
    }
    return (options ?? .init(), documents)
  }

  /// A million servers are about 80 MB of CSV.
  private static let largestImport = 128 << 20
}

extension AtlasV1.ImportFleetResponse {
  /// Lists are cut to what fits into one message; `truncated` says so.
  fileprivate init(_ result: FleetImportResult) {
    let counts = result.counts
    self.init(
      diagnostics: result.diagnostics.prefix(Limits.page).map { .init($0) },
      changes: result.changes.prefix(Limits.page).map { .init($0) }, applied: false,
      clientsAdded: Int32(counts.clientsAdded), clientsChanged: Int32(counts.clientsChanged),
      clientsRefused: Int32(counts.clientsRefused), serversAdded: Int32(counts.serversAdded),
      serversChanged: Int32(counts.serversChanged),
      serversUnmentioned: Int32(counts.serversUnmentioned),
      truncated: result.diagnostics.count > Limits.page || result.changes.count > Limits.page)
  }
}

extension AtlasV1.Diagnostic {
  init(_ diagnostic: ImportDiagnostic) {
    self.init(
      file: diagnostic.file, line: Int32(clamping: diagnostic.line), field: diagnostic.field,
      message: diagnostic.message, hint: diagnostic.hint,
      warning: diagnostic.severity == .warning, client: diagnostic.client?.text ?? "")
  }

  /// In one line, as compilers do.
  func line(of file: String) -> String {
    let place = line > 0 ? "\(file):\(line)" : file
    return [place, field, message].filter { !$0.isEmpty }.joined(separator: ": ")
      + (hint.isEmpty ? "" : " (\(hint))")
  }
}

extension AtlasV1.FleetChange {
  fileprivate init(_ change: FleetChange) {
    self.init(
      kind: change.kind == .added ? .added : .changed, client: change.client?.text ?? "",
      server: change.server?.text ?? "", field: change.field, before: change.before,
      after: change.after)
  }
}

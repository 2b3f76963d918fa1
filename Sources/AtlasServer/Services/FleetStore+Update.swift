import AtlasControl
import AtlasFleetImport
import AtlasModel
import AtlasWire
import GRPCCore

/// Changes to single fields of a client.
extension FleetStore {
  package func updateClient(
    _ request: AtlasV1.UpdateClientRequest, context: ServerContext
  ) async throws -> AtlasV1.UpdateClientResponse {
    guard let wanted = request.client else { throw WireStatus(invalid: "client", "is missing") }
    guard !request.updateMask.isEmpty else {
      throw WireStatus(invalid: "update_mask", "names no field; \(Self.updatable)")
    }
    let caller = try core.caller(
      of: AtlasV1.UpdateClientResponse.self, request.requestID
    ) { request.encode() }
    if let first: AtlasV1.UpdateClientResponse = try await core.recall(caller) { return first }
    guard
      case .client(var view) = try await core.read(.client(Field.name(wanted.name, "client.name")))
    else { throw WireStatus.wrongAnswer }
    for field in request.updateMask { try view.config.take(field, from: wanted) }
    try view.config.takeBackupAge(request.updateMask, from: wanted)
    // Without an etag of the caller's: at least nothing that changed since the line above is lost.
    let etag = wanted.etag.isEmpty ? view.etag : wanted.etag
    // Windows that have come to their end since are no reason to refuse another change.
    let now = request.updateMask.contains("windows") ? core.pump.campaignTime : nil
    let config = try checked(view.config, now: now)
    let change = Change.updateClient(config, ifMatch: etag)
    return try await core.carryOut(.change(change, caller), caller)
  }

  fileprivate static let updatable =
    "those that can be changed: ring, zone, windows, freezes, max_parallel_servers, "
    + "require_backup, create_snapshots, max_backup_age, since_last_job, priority, contacts, "
    + "require_change_reference"

  /// The same checks that a file goes through.
  private func checked(_ config: ClientConfig, now: Instant?) throws(WireStatus) -> ClientConfig {
    let text = FleetExport.clientsYAML(Fleet(clients: [config]))
    let result = FleetImport.read(
      documents: [SourceDocument(name: "client", bytes: Array(text.utf8))], now: now)
    if let problem = result.diagnostics.first(where: { $0.severity == .error }) {
      let hint = problem.hint.isEmpty ? "" : " (\(problem.hint))"
      throw WireStatus(invalid: "client.\(problem.field)", problem.message + hint)
    }
    guard let client = result.fleet.clients.first else { throw WireStatus.wrongAnswer }
    return client
  }
}

extension ClientConfig {
  /// Takes one field; the values are checked later, all of them together.
  fileprivate mutating func take(
    _ field: String, from wanted: AtlasV1.ClientInfo
  ) throws(WireStatus) {
    switch field {
    case "ring": ring = try Field.ring(wanted.ring, "client.ring")
    case "zone": zone = wanted.zone
    case "windows": windows = wanted.windows.map { MaintenanceWindow(rule: $0) }
    case "freezes":
      freezes = wanted.freezes.map { freeze in
        Freeze(
          interval: Interval(
            start: Instant(freeze.interval?.start), end: Instant(freeze.interval?.end)),
          reason: freeze.reason)
      }
    case "max_parallel_servers": maxParallelServers = Int(wanted.maxParallelServers)
    case "require_backup": requireBackup = wanted.requireBackup
    case "create_snapshots": createSnapshots = wanted.createSnapshots
    // Two fields of one value: taken together, when all others have been.
    case "max_backup_age", "since_last_job": break
    case "priority": priority = Int(wanted.priority)
    case "contacts":
      contacts = wanted.contacts.map { Contact(email: $0.email, language: $0.language) }
    case "require_change_reference": requireChangeReference = wanted.requireChangeReference
    default:
      throw WireStatus(
        invalid: "update_mask", "“\(field)” is not among \(FleetStore.updatable)")
    }
  }

  /// A client without any limit would take backups of any age.
  fileprivate mutating func takeBackupAge(
    _ mask: [String], from wanted: AtlasV1.ClientInfo
  ) throws(WireStatus) {
    let longest =
      mask.contains("max_backup_age")
      ? wanted.maxBackupAge.map { Duration($0) } : maxBackupAge.longest
    let isOfLastJob =
      mask.contains("since_last_job") ? wanted.sinceLastJob : maxBackupAge.isOfLastJob
    guard let age = BackupAge(longest: longest, isOfLastJob: isOfLastJob) else {
      throw WireStatus(
        invalid: "client.max_backup_age", "is needed unless since_last_job is set")
    }
    maxBackupAge = age
  }
}

extension Instant {
  /// 1970 where there is none: no interval can begin or end there, and the checks say so.
  fileprivate init(_ timestamp: GoogleProtobuf.Timestamp?) {
    self.init(milliseconds: timestamp?.millisecondsSinceEpoch ?? 0)
  }
}

import AtlasModel

/// Reads files into a fleet: our lists of servers and clients, and the three lists of the field.
///
/// What a file is, its content says: a table by its header, a tree by its keys.
///
/// | file | recognised by | says |
/// |---|---|---|
/// | servers or Orchestration, CSV or JSON | column `server` or `ServerName` | servers |
/// | clients, YAML or JSON | keys `clients`, `rings`, … | clients, names of rings, host patterns |
/// | ClientConfig, CSV or JSON | column `ClientName`, no server | clients |
/// | GlobalStatus, CSV or JSON | column `RingName` | names of rings |
package enum FleetImport {
  /// Reads all `documents` together over the fleet there is.
  ///
  /// All or nothing for each client: an error in one of its rows leaves that client as it was; an
  /// error that belongs to no client refuses the file, and with it every client that the file
  /// speaks of. Nothing is ever deleted: what no file mentions stays.
  /// - Parameter now: Windows are compared with it: those that never open again are errors. Nil
  ///   leaves them as they are.
  package static func read(
    documents: [SourceDocument], over existing: Fleet = Fleet(), now: Instant? = nil
  ) -> FleetImportResult {
    var draft = FleetDraft(files: documents.map(\.name))
    guard documents.count <= ImportLimits.documents else {
      draft.diagnostics.error(
        at: Place(file: 0, line: 0), "\(documents.count) files are too many",
        hint: "at most \(ImportLimits.documents) in one import", client: nil)
      return FleetImportResult(draft.diagnostics, existing, over: existing, unmentioned: 0)
    }
    var contents: [(file: Int, content: DocumentContent)] = []
    for (file, document) in documents.enumerated() {
      do {
        contents.append((file, try DocumentContent(of: document, file: file)))
      } catch {
        draft.refuse(file, error)
      }
    }
    // Trees first, because host patterns say whose the rows of a table are.
    for (file, content) in contents { content.readTree(file, into: &draft) }
    let patterns = draft.patterns.isEmpty ? HostPattern.standard : draft.patterns
    for (file, content) in contents {
      do {
        try content.readTables(patterns, into: &draft)
      } catch {
        draft.refuse(file, error)
      }
    }
    var builder = FleetBuilder(draft, over: existing, now: now)
    let outcome = builder.build()
    return FleetImportResult(
      outcome.diagnostics, outcome.fleet, over: existing,
      unmentioned: outcome.serversUnmentioned)
  }
}

/// What an import would make of the fleet.
package struct FleetImportResult: Sendable {
  /// Every error and warning, in order of file and line; at most ``ImportLimits/diagnostics`` and
  /// a note about the rest.
  package let diagnostics: [ImportDiagnostic]
  /// The fleet there was, with everything that had no error.
  package let fleet: Fleet
  /// What differs from the fleet there was.
  package let changes: [FleetChange]
  /// Clients left as they were because of errors; sorted.
  package let refusedClients: [ClientName]
  package let counts: Counts
  /// Whether anything at all was refused.
  package let hasErrors: Bool

  package struct Counts: Hashable, Sendable {
    package var clientsAdded = 0
    package var clientsChanged = 0
    package var clientsRefused = 0
    package var serversAdded = 0
    package var serversChanged = 0
    /// Servers of the fleet that no file mentions; they stay.
    package var serversUnmentioned = 0

    package init() {}
  }

  init(
    _ list: DiagnosticList, _ fleet: Fleet, over existing: Fleet, unmentioned: Int
  ) {
    diagnostics = list.diagnostics()
    self.fleet = fleet
    changes = FleetDiff.changes(from: existing, to: fleet)
    refusedClients = list.refusedClients.sorted()
    hasErrors = list.hasErrors
    var counts = Counts()
    counts.clientsAdded = changes.count { $0.kind == .added && $0.server == nil }
    counts.serversAdded = changes.count { $0.kind == .added && $0.server != nil }
    let changed = changes.filter { $0.kind == .changed }
    counts.clientsChanged = Set(changed.filter { $0.server == nil }.compactMap(\.client)).count
    counts.serversChanged = Set(changed.compactMap(\.server)).count
    counts.clientsRefused = refusedClients.count
    counts.serversUnmentioned = unmentioned
    self.counts = counts
  }
}

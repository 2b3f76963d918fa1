import AtlasModel

/// Something wrong in a file: where, what, and what would be right.
package struct ImportDiagnostic: Hashable, Sendable, CustomStringConvertible {
  package enum Severity: Hashable, Sendable {
    case error
    /// Does not stop anything.
    case warning
  }

  /// Name of the file; empty when it concerns the import as a whole.
  package var file: String
  /// 1 for the first line; 0 when it concerns the whole file.
  package var line: Int
  /// Column or key, such as `MaintenanceWindow`; may be empty.
  package var field: String
  package var message: String
  /// What would be right; may be empty.
  package var hint: String
  package var severity: Severity
  /// The client whose import it stops; nil when it stops the whole file.
  package var client: ClientName?

  package init(
    file: String, line: Int, field: String = "", message: String, hint: String = "",
    severity: Severity = .error, client: ClientName? = nil
  ) {
    self.file = file
    self.line = line
    self.field = field
    self.message = message
    self.hint = hint
    self.severity = severity
    self.client = client
  }

  /// `servers.csv:12: error: number: …; hint`, the form that editors can jump to.
  package var description: String {
    let place = line > 0 ? "\(file):\(line)" : file
    return [place, severity == .error ? "error" : "warning", field, message]
      .filter { !$0.isEmpty }.joined(separator: ": ") + (hint.isEmpty ? "" : "; \(hint)")
  }
}

/// Where in the files of an import something is written.
struct Place: Hashable, Sendable, Comparable {
  private let fileIndex: Int16
  private let lineNumber: Int32

  init(file: Int, line: Int) {
    fileIndex = Int16(clamping: file)
    lineNumber = Int32(clamping: line)
  }

  /// Index among the documents of the import.
  var file: Int { Int(fileIndex) }
  var line: Int { Int(lineNumber) }

  static func < (left: Place, right: Place) -> Bool {
    (left.file, left.line) < (right.file, right.line)
  }
}

/// A value of one field that cannot be used: what is wrong, and what would be right.
struct ValueError: Error, Hashable {
  var message: String
  var hint = ""
}

/// Collects everything wrong with an import, and whom it stops.
///
/// Diagnostics beyond the limit are counted, not kept; whom they stop is remembered always.
struct DiagnosticList {
  private let files: [String]
  private var errors: [(place: Place, diagnostic: ImportDiagnostic)] = []
  private var warnings: [(place: Place, diagnostic: ImportDiagnostic)] = []
  private var seen: Set<Seen> = []
  private(set) var dropped = 0
  private(set) var refusedClients: Set<ClientName> = []
  /// Indexes of files that no client can be singled out of.
  private(set) var refusedFiles: Set<Int> = []

  /// One value may stand for many clients, as a default does; its error is said once.
  private struct Seen: Hashable {
    var place: Place
    var field: String
    var message: String
  }

  init(files: [String]) {
    self.files = files
  }

  var hasErrors: Bool { !refusedClients.isEmpty || !refusedFiles.isEmpty }

  /// Stops `client`, or the whole file when that is nil.
  mutating func error(
    at place: Place, field: String = "", _ message: String, hint: String = "",
    client: ClientName?
  ) {
    if let client { refusedClients.insert(client) } else { refusedFiles.insert(place.file) }
    guard isNew(place, field, message) else { return }
    guard errors.count < ImportLimits.diagnostics else {
      dropped += 1
      return
    }
    errors.append((place, make(place, field, message, hint, .error, client)))
  }

  mutating func error(
    at place: Place, field: String, _ error: ValueError, client: ClientName?
  ) {
    self.error(at: place, field: field, error.message, hint: error.hint, client: client)
  }

  mutating func warning(
    at place: Place, field: String = "", _ message: String, hint: String = "",
    client: ClientName?
  ) {
    guard isNew(place, field, message) else { return }
    guard warnings.count < ImportLimits.diagnostics else {
      dropped += 1
      return
    }
    warnings.append((place, make(place, field, message, hint, .warning, client)))
  }

  /// Stops `client` for something that was said already.
  mutating func refuse(_ client: ClientName) {
    refusedClients.insert(client)
  }

  /// In order of file and line, errors before warnings when not all can be kept; with a note
  /// when some could not.
  func diagnostics() -> [ImportDiagnostic] {
    let room = ImportLimits.diagnostics - errors.count
    let kept = (errors + warnings.prefix(room)).sorted { $0.place < $1.place }.map(\.diagnostic)
    let left = dropped + max(0, warnings.count - room)
    guard left > 0 else { return kept }
    return kept + [
      ImportDiagnostic(
        file: "", line: 0, message: "\(left) more were left out", hint: "correct these first",
        severity: .warning)
    ]
  }

  /// `clients.yaml line 3`, for messages that name a second place.
  func name(of place: Place) -> String {
    let file = files.indices.contains(place.file) ? files[place.file] : ""
    return "\(file) line \(place.line)"
  }

  private mutating func isNew(_ place: Place, _ field: String, _ message: String) -> Bool {
    guard seen.count < 4 * ImportLimits.diagnostics else { return true }
    return seen.insert(Seen(place: place, field: field, message: message)).inserted
  }

  private func make(
    _ place: Place, _ field: String, _ message: String, _ hint: String,
    _ severity: ImportDiagnostic.Severity, _ client: ClientName?
  ) -> ImportDiagnostic {
    ImportDiagnostic(
      file: files.indices.contains(place.file) ? files[place.file] : "", line: place.line,
      field: field.bounded(to: 128), message: message.bounded(), hint: hint.bounded(),
      severity: severity, client: client)
  }
}

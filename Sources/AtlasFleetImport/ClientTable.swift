import AtlasCalendar
import AtlasModel

/// Columns of the field's ClientConfig list, and two that it lacks.
enum ClientColumn: TableColumn {
  case client, maintenanceWindow, maxParallelServers, priority, contactEmail, ring, zone

  var names: [String] {
    switch self {
    case .client: ["ClientName", "client"]
    case .maintenanceWindow: ["MaintenanceWindow"]
    case .maxParallelServers: ["MaxParallelServers"]
    case .priority: ["Priority"]
    case .contactEmail: ["ContactEmail"]
    case .ring: ["Ring"]
    case .zone: ["Zone"]
    }
  }

  var isRequired: Bool { self == .client }
}

/// Reads the field's ClientConfig list. A column that is missing leaves what the fleet knows, and
/// so does an empty cell, except that an empty window means none.
struct ClientTable {
  private var table: Table
  private let columns: ColumnMap<ClientColumn>

  init(_ table: Table, into draft: inout FleetDraft) {
    self.table = table
    columns = ColumnMap(table, &draft.diagnostics)
  }

  mutating func read(into draft: inout FleetDraft) throws(SourceError) {
    while let row = try table.next() { read(row, into: &draft) }
  }

  private func read(_ row: Table.Row, into draft: inout FleetDraft) {
    let place = Place(file: table.file, line: row.line)
    let parsed: Sourced<ClientName>? = parse(.client, row, nil, &draft.diagnostics, Values.name)
    guard let name = parsed?.value else {
      if columns.cell(.client, of: row)?.text.isEmpty ?? true {
        draft.diagnostics.error(at: place, "the row names no client", client: nil)
      }
      return
    }
    guard row.width == table.header.count else {
      return draft.diagnostics.error(
        at: place, "the row has \(row.width) cells, the header has \(table.header.count)",
        hint: "quote cells that hold the separator", client: name)
    }
    var client = ClientDraft(name: name, place: place)
    fill(&client, from: row, &draft.diagnostics)
    draft.add(client)
  }

  private func fill(
    _ client: inout ClientDraft, from row: Table.Row, _ diagnostics: inout DiagnosticList
  ) {
    let name = client.name
    client.ring = parse(.ring, row, name, &diagnostics) { $0 }
    client.zone = parse(.zone, row, name, &diagnostics) { $0 }
    client.maxParallelServers = parse(.maxParallelServers, row, name, &diagnostics) {
      text throws(ValueError) in
      try Values.int(text, in: 1...Limits.slotsPerClient)
    }
    client.priority = parse(.priority, row, name, &diagnostics) { text throws(ValueError) in
      try Values.int(text, in: ClientConfig.priorities)
    }
    client.contacts = parse(.contactEmail, row, name, &diagnostics, Self.contacts)
    guard let cell = columns.cell(.maintenanceWindow, of: row) else { return }
    let place = Place(file: table.file, line: cell.line)
    let windows = cell.text.isEmpty ? [] : [Sourced(cell.text, at: place)]
    client.windows = Sourced(windows, at: place)
  }

  /// Several addresses are separated as people separate them in the address line of a message.
  private static func contacts(_ text: String) throws(ValueError) -> [ContactDraft] {
    var contacts: [ContactDraft] = []
    for part in text.split(whereSeparator: { ";, ".contains($0) }) {
      contacts.append(ContactDraft(email: try Values.email(String(part)), language: nil))
    }
    return contacts
  }

  private func parse<Value: Equatable>(
    _ column: ClientColumn, _ row: Table.Row, _ client: ClientName?,
    _ diagnostics: inout DiagnosticList, _ read: (String) throws(ValueError) -> Value
  ) -> Sourced<Value>? {
    guard let cell = columns.cell(column, of: row), !cell.text.isEmpty else { return nil }
    let place = Place(file: table.file, line: cell.line)
    do {
      return Sourced(try read(cell.text), at: place)
    } catch {
      diagnostics.error(at: place, field: columns.title(column), error, client: client)
      return nil
    }
  }
}

/// Columns of the field's GlobalStatus list.
enum RingColumn: TableColumn {
  case ringName
  // How far the rings were, in some campaign; not part of a fleet.
  case status, serversTotal, serversCompleted, startTime, completionTime

  var names: [String] {
    switch self {
    case .ringName: ["RingName"]
    case .status: ["Status"]
    case .serversTotal: ["ServersTotal"]
    case .serversCompleted: ["ServersCompleted"]
    case .startTime: ["StartTime"]
    case .completionTime: ["CompletionTime"]
    }
  }

  var isRequired: Bool { self == .ringName }
}

/// Reads the names of rings from the field's GlobalStatus list, which has no numbers.
///
/// A name says its number by a digit (`Ring 2`), or because it is a usual one (`pilot`); else the
/// first row is ring 0, the next ring 1, and so on.
struct RingTable {
  private var table: Table
  private let columns: ColumnMap<RingColumn>

  init(_ table: Table, into draft: inout FleetDraft) {
    self.table = table
    columns = ColumnMap(table, &draft.diagnostics)
  }

  mutating func read(into draft: inout FleetDraft) throws(SourceError) {
    var position = 0
    while let row = try table.next() {
      let place = Place(file: table.file, line: row.line)
      let title = columns.title(.ringName)
      do throws(ValueError) {
        let text = columns.cell(.ringName, of: row)?.text ?? ""
        guard !text.isEmpty else { throw ValueError(message: "the row names no ring") }
        let name = try Values.text(text, limit: Limits.ringName)
        draft.nameRing(try Self.ring(named: name, position: position), name, at: place)
      } catch {
        draft.diagnostics.error(at: place, field: title, error, client: nil)
      }
      position += 1
    }
  }

  private static func ring(named name: String, position: Int) throws(ValueError) -> Ring {
    let usual = Ring.all.first { $0.defaultName == name.lowercased() }
    let digits = name.filter { $0.isASCII && $0.isNumber }
    guard let ring = usual ?? Ring(Int(digits) ?? position) else {
      throw ValueError(
        message: "“\(name)” is beyond the last ring", hint: "rings are 0 to \(Ring.last)")
    }
    return ring
  }
}

extension Ring {
  /// Every ring a fleet may use.
  static var all: [Ring] { (0...Int(Ring.last.number)).compactMap { Ring($0) } }

  /// Those that another may come after: there are gates behind them.
  static var gated: [Ring] { all.filter { $0 < .last } }
}

extension ClientConfig {
  /// 1 goes first.
  static let priorities = 1...1_000
  /// Younger than a minute is younger than the backup takes; older than a year is none.
  static let backupAges = Duration.seconds(60)...Duration.seconds(366 * 86_400)
}

import AtlasModel

/// Columns of our own list of servers and of the field's Orchestration list.
enum ServerColumn: TableColumn {
  case server, client, site, roles, number, updateOrder, system, physical
  case resources, tags, after, antiAffinity, host, migratesGuests, carriesAtlas
  // What happened to the server, in the Orchestration list; not part of a fleet.
  case updateStatus, updateStartTime, updateEndTime, updateLocked, lastError

  var names: [String] {
    switch self {
    case .server: ["server", "ServerName"]
    case .client: ["client", "ClientName"]
    case .site: ["site", "SiteName"]
    case .roles: ["roles", "role"]
    case .number: ["number"]
    case .updateOrder: ["update_order", "UpdateOrder"]
    case .system: ["system"]
    case .physical: ["physical"]
    case .resources: ["resources"]
    case .tags: ["tags"]
    case .after: ["after"]
    case .antiAffinity: ["anti_affinity", "group"]
    case .host: ["host"]
    case .migratesGuests: ["migrates_guests"]
    case .carriesAtlas: ["carries_atlas"]
    case .updateStatus: ["UpdateStatus"]
    case .updateStartTime: ["UpdateStartTime"]
    case .updateEndTime: ["UpdateEndTime"]
    case .updateLocked: ["UpdateLocked"]
    case .lastError: ["LastError"]
    }
  }

  var isRequired: Bool { self == .server }
}

/// Reads a list of servers, row by row, into a draft of the fleet.
///
/// A column that is missing leaves what the fleet knows; an empty cell means: as the host name
/// says, or none. `-` in the column of roles means no role at all.
struct ServerTable {
  private var table: Table
  private let columns: ColumnMap<ServerColumn>
  private let patterns: [HostPattern]

  init(_ table: Table, patterns: [HostPattern], into draft: inout FleetDraft) {
    self.table = table
    self.patterns = patterns
    columns = ColumnMap(table, &draft.diagnostics)
  }

  mutating func read(into draft: inout FleetDraft) throws(SourceError) {
    while let row = try table.next() { read(row, into: &draft) }
  }

  private func read(_ row: Table.Row, into draft: inout FleetDraft) {
    let rowPlace = Place(file: table.file, line: row.line)
    guard row.width == table.header.count else {
      return draft.diagnostics.error(
        at: rowPlace, "the row has \(row.width) cells, the header has \(table.header.count)",
        hint: "quote cells that hold the separator", client: owner(of: row))
    }
    guard let cell = columns.cell(.server, of: row), !cell.text.isEmpty else {
      return draft.diagnostics.error(
        at: rowPlace, field: columns.title(.server), "the row names no server",
        client: owner(of: row))
    }
    guard let name: ServerName = parse(.server, row, &draft.diagnostics, Values.name) else {
      return
    }
    var server = ServerDraft(name: name, place: Place(file: table.file, line: cell.line))
    fill(&server, from: row, &draft.diagnostics)
    warnAboutLock(row, of: server, &draft.diagnostics)
    draft.add(server, owner: owner(of: row))
  }

  private func fill(
    _ server: inout ServerDraft, from row: Table.Row, _ diagnostics: inout DiagnosticList
  ) {
    server.client = optional(.client, row, &diagnostics, Values.name)
    server.site = optional(.site, row, &diagnostics, Values.name)
    server.roles = optional(.roles, row, &diagnostics, Self.roles)
    server.number = optional(.number, row, &diagnostics) { text throws(ValueError) in
      try Values.int(text, in: 0...999_999_999)
    }
    server.updateOrder = optional(.updateOrder, row, &diagnostics) { text throws(ValueError) in
      try Values.int(text, in: 0...1_000_000)
    }
    server.system = optional(.system, row, &diagnostics) { text throws(ValueError) in
      try Values.text(text, limit: 64)
    }.map { Sourced($0.value ?? "", at: $0.place) }
    server.physical = optional(.physical, row, &diagnostics, Values.bool)
      .map { Sourced($0.value ?? false, at: $0.place) }
    server.resources = optional(.resources, row, &diagnostics) { text throws(ValueError) in
      try Self.names(text, "resources", atMost: Limits.resourcesPerServer)
    }.map { Sourced($0.value ?? [], at: $0.place) }
    server.tags = optional(.tags, row, &diagnostics) { text throws(ValueError) in
      try Self.names(text, "tags", atMost: Limits.tagsPerServer)
    }.map { Sourced($0.value ?? [], at: $0.place) }
    server.after = optional(.after, row, &diagnostics, Self.after)
      .map { Sourced($0.value ?? [], at: $0.place) }
    server.antiAffinity = optional(.antiAffinity, row, &diagnostics, Values.name)
    server.host = optional(.host, row, &diagnostics, Values.name)
    server.migratesGuests = optional(.migratesGuests, row, &diagnostics, Values.bool)
      .map { Sourced($0.value ?? false, at: $0.place) }
    server.carriesAtlas = optional(.carriesAtlas, row, &diagnostics, Values.bool)
      .map { Sourced($0.value ?? false, at: $0.place) }
  }

  /// `SAN-1|PROXY`: names with `|`, `+`, `,`, `;` or spaces between them. Sorted, each once.
  private static func names<Name: CheckedName>(
    _ text: String, _ what: String, atMost limit: Int
  ) throws(ValueError) -> [Name] {
    var names: Set<Name> = []
    for part in text.split(whereSeparator: { "|+,; ".contains($0) }) {
      names.insert(try Values.name(String(part)))
    }
    guard names.count <= limit else {
      throw ValueError(message: "the server has \(names.count) \(what)", hint: "at most \(limit)")
    }
    return names.sorted()
  }

  /// `LAA-PARIS-SQL01|LAA-PARIS-SQL02`. Sorted, each once.
  private static func after(_ text: String) throws(ValueError) -> [ServerName] {
    var names: Set<ServerName> = []
    for part in text.split(whereSeparator: { "|+,/ ".contains($0) }) {
      names.insert(try Values.name(String(part)))
    }
    guard names.count <= Limits.predecessors else {
      throw ValueError(
        message: "the server comes after \(names.count) others",
        hint: "at most \(Limits.predecessors)")
    }
    return names.sorted()
  }

  /// `DC`, `DC|DNS`, `DC+DNS`, `DC DNS`; `-` for none. Sorted, each once.
  static func roles(_ text: String) throws(ValueError) -> [Role] {
    guard text != "-" else { return [] }
    var roles: Set<Role> = []
    for part in text.split(whereSeparator: { "|+,/ ".contains($0) }) {
      roles.insert(try Values.role(String(part)))
    }
    guard roles.count <= Limits.rolesPerServer else {
      throw ValueError(
        message: "the server has \(roles.count) roles", hint: "at most \(Limits.rolesPerServer)")
    }
    return roles.sorted()
  }

  private func warnAboutLock(
    _ row: Table.Row, of server: ServerDraft, _ diagnostics: inout DiagnosticList
  ) {
    guard
      let cell = columns.cell(.updateLocked, of: row), (try? Values.bool(cell.text)) == true
    else { return }
    diagnostics.warning(
      at: Place(file: table.file, line: cell.line), field: columns.title(.updateLocked),
      "\(server.name) is locked in this list; an import locks nothing",
      hint: "lock it with a reason: atlas server lock", client: owner(of: row))
  }
}

// MARK: - Cells

extension ServerTable {
  /// The client that an error of this row stops: by its column, else by the host name.
  private func owner(of row: Table.Row) -> ClientName? {
    if let cell = columns.cell(.client, of: row), !cell.text.isEmpty {
      return try? ClientName(cell.text)
    }
    guard let name = columns.cell(.server, of: row)?.text else { return nil }
    return patterns.parts(of: name).flatMap { try? ClientName($0.client) }
  }

  /// Nil when the column is missing or the cell cannot be read; a value of nil when it is empty.
  private func optional<Value: Equatable>(
    _ column: ServerColumn, _ row: Table.Row, _ diagnostics: inout DiagnosticList,
    _ read: (String) throws(ValueError) -> Value
  ) -> Sourced<Value?>? {
    guard let cell = columns.cell(column, of: row) else { return nil }
    let place = Place(file: table.file, line: cell.line)
    if cell.text.isEmpty { return Sourced(nil, at: place) }
    return parse(column, row, &diagnostics, read).map { Sourced($0, at: place) }
  }

  private func parse<Value>(
    _ column: ServerColumn, _ row: Table.Row, _ diagnostics: inout DiagnosticList,
    _ read: (String) throws(ValueError) -> Value
  ) -> Value? {
    guard let cell = columns.cell(column, of: row) else { return nil }
    do {
      return try read(cell.text)
    } catch {
      let place = Place(file: table.file, line: cell.line)
      diagnostics.error(
        at: place, field: columns.title(column), error, client: owner(of: row))
      return nil
    }
  }
}

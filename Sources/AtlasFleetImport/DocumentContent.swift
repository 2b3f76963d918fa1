import AtlasModel

/// What a file turned out to be.
enum DocumentContent {
  /// Clients, rings and patterns.
  case clients([SourceNode.Entry])
  /// One table of a CSV file, or all of a JSON file.
  case tables([Table])

  /// - Throws: ``SourceError`` when it is none of the files that an import reads.
  init(of document: SourceDocument, file: Int) throws(SourceError) {
    let bytes = try SourceText.checked(document.bytes, limit: ImportLimits.tableBytes)
    let first = bytes.first { $0 > 0x20 }
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      self = try Self.json(try JSONReader.read(document.bytes), file: file)
    } else if let table = try Table(csv: CSVReader(bytes), file: file), table.isRecognised {
      self = .tables([table])
    } else if Self.looksLikeYAML(bytes) {
      self = .clients(try Self.entries(of: try YAMLReader.read(document.bytes)))
    } else if first == nil {
      throw SourceError(line: 0, message: "the file is empty", hint: Self.expected)
    } else {
      throw SourceError(
        line: 1, message: "the first line is not a known header", hint: Self.expected)
    }
  }

  private static let expected =
    "write a table with a column server, ServerName, ClientName or RingName, "
    + "or YAML with the key clients"

  /// The first line that is no comment holds a key.
  private static func looksLikeYAML(_ bytes: ArraySlice<UInt8>) -> Bool {
    for line in bytes.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
      let text = line.drop { $0 <= 0x20 }
      if text.isEmpty || text.first == UInt8(ascii: "#") || text.starts(with: "---".utf8) {
        continue
      }
      let key = text.prefix { $0 != UInt8(ascii: ":") }
      return key.count < text.count && !key.contains(UInt8(ascii: ","))
    }
    return false
  }

  private static func entries(of root: SourceNode) throws(SourceError) -> [SourceNode.Entry] {
    guard let entries = root.entries else {
      throw SourceError(line: root.line, message: "the file is \(root.description)", hint: expected)
    }
    return entries
  }

  /// Keys of a clients file, a list of rows, or lists of rows by their names.
  private static func json(_ root: SourceNode, file: Int) throws(SourceError) -> DocumentContent {
    if let items = root.items { return .tables([try table(items, file, line: root.line)]) }
    let entries = try entries(of: root)
    let lists = entries.filter { !$0.key.hasPrefix("@odata.") }
    let isClients = entries.contains { ClientsDocument.keys.contains($0.key) }
    guard !isClients, !lists.isEmpty, lists.allSatisfy({ $0.value.items != nil }) else {
      return .clients(entries)
    }
    var tables: [Table] = []
    for list in lists {
      tables.append(try table(list.value.items ?? [], file, line: list.line))
    }
    return .tables(tables)
  }

  private static func table(
    _ items: [SourceNode], _ file: Int, line: Int
  ) throws(SourceError) -> Table {
    let table = try Table(json: items, file: file)
    guard table.isRecognised || items.isEmpty else {
      throw SourceError(line: line, message: "the keys are those of no known list", hint: expected)
    }
    return table
  }
}

// MARK: - Reading

extension DocumentContent {
  func readTree(_ file: Int, into draft: inout FleetDraft) {
    guard case .clients(let entries) = self else { return }
    ClientsDocument(entries, file: file).read(into: &draft)
  }

  /// - Throws: ``SourceError`` when a table cannot be read to its end.
  func readTables(
    _ patterns: [HostPattern], into draft: inout FleetDraft
  ) throws(SourceError) {
    guard case .tables(let tables) = self else { return }
    for table in tables {
      if table.has(ServerColumn.server) {
        var reader = ServerTable(table, patterns: patterns, into: &draft)
        try reader.read(into: &draft)
      } else if table.has(ClientColumn.client) {
        var reader = ClientTable(table, into: &draft)
        try reader.read(into: &draft)
      } else if table.has(RingColumn.ringName) {
        var reader = RingTable(table, into: &draft)
        try reader.read(into: &draft)
      }
    }
  }
}

extension Table {
  fileprivate var isRecognised: Bool {
    has(ServerColumn.server) || has(ClientColumn.client) || has(RingColumn.ringName)
  }

  fileprivate func has(_ column: some TableColumn) -> Bool {
    header.contains { column.isNamed($0.text.trimmed + "") }
  }
}

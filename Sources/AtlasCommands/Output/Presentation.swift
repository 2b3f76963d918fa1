import AtlasWire

/// What a verb has to show, in all the forms that may be asked for.
struct Presentation: Sendable {
  /// For `json` and `yaml`.
  var document: Document
  /// For `jsonl`.
  var rows: [Document]
  /// For `name`.
  var names: [String]
  /// For people; told whether everything is wanted, and how wide the terminal is.
  var text: @Sendable (TextSpace) -> [Line]

  init(
    _ document: Document, rows: [Document]? = nil, names: [String],
    text: @escaping @Sendable (TextSpace) -> [Line]
  ) {
    self.document = document
    self.rows = rows ?? [document]
    self.names = names
    self.text = text
  }

  /// A table with a row for each of `items`.
  init<Row: WireMessage>(
    _ response: some WireMessage, items: [Row], name: (Row) -> String, columns: [Column<Row>],
    empty: String
  ) {
    self.init(
      .message(response), rows: items.map { .message($0) }, names: items.map(name)
    ) { space in
      if items.isEmpty { return [Line(Span(empty, .dim))] }
      return space.lines(of: Table(items, columns, wide: space.isWide))
    }
  }
}

/// Where text for people goes.
struct TextSpace: Sendable, Hashable {
  /// Everything is wanted, and nothing is cut.
  var isWide: Bool
  /// Width of the terminal; nil if lines may be as long as they like.
  var columns: Int?
  var glyphs: Glyphs

  func lines(of table: Table) -> [Line] {
    table.lines(columns: isWide ? nil : columns, glyphs: glyphs)
  }
}

/// Something that has a JSON form.
enum Document: Sendable {
  case message(any WireMessage)
  case value(JSONValue)

  /// - Throws: ``Failure`` for a value that JSON has no form for.
  func json() throws(Failure) -> JSONValue {
    switch self {
    case .message(let message): try message.jsonValue()
    case .value(let value): value
    }
  }
}

extension WireMessage {
  /// The message as a JSON value with all its fields, those at their defaults too, so that scripts
  /// need no special case for zero.
  ///
  /// - Throws: ``Failure`` for a value that JSON has no form for.
  func jsonValue() throws(Failure) -> JSONValue {
    // The bounds are for what peers send; this is our own text.
    var limits = WireLimits.standard
    limits.jsonBytes = .max
    do {
      return try JSONValue(parsing: jsonBytes(.init(includesDefaults: true)), limits: limits)
    } catch {
      throw Failure(.error, "the answer has no JSON form: \(error)")
    }
  }
}

extension JSONValue {
  /// As text.
  ///
  /// - Throws: ``Failure``.
  func text(pretty: Bool) throws(Failure) -> String {
    let writer = JSONWriter(options: .init(isPretty: pretty))
    do {
      try writer.value(self)
    } catch {
      throw Failure(.error, "the answer has no JSON form: \(error)")
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// An object with these members, in this order.
  static func members(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
    .object(members.map { Member($0.key, $0.value) })
  }
}

extension Console {
  /// Prints `presentation` in the format asked for.
  ///
  /// - Throws: ``Failure``, or ``OutputClosed``.
  func show(_ presentation: Presentation, as format: OutputFormat) throws {
    switch format {
    case .table, .wide:
      let space = TextSpace(
        isWide: format == .wide, columns: outputSize?.columns, glyphs: glyphs)
      try print(presentation.text(space))
    case .json:
      try print(presentation.document.json().text(pretty: true))
    case .jsonl:
      for row in presentation.rows { try print(row.json().text(pretty: false)) }
    case .yaml:
      try print(YAMLWriter.text(of: presentation.document.json()))
    case .name:
      try print(presentation.names.map { Line($0) })
    }
  }
}

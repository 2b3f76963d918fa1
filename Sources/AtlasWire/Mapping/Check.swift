#if canImport(AtlasModel)
  internal import AtlasModel

  /// What mappings from the wire say when a field is not what it must be.
  enum Check {
    /// Errors of `body`, seen from the message of this type.
    static func of<Message: WireMessage, Value>(
      _: Message.Type, _ body: () throws(WireError) -> Value
    ) throws(WireError) -> Value {
      do { return try body() } catch { throw error.of(Message.wireName) }
    }

    /// Errors of `body`, seen from the message that holds it in `field`.
    static func at<Value>(
      _ field: String, _ body: () throws(WireError) -> Value
    ) throws(WireError) -> Value {
      do { return try body() } catch { throw error.inside(field) }
    }

    static func wrong(_ field: String, _ reason: String) -> WireError {
      WireError(.invalid, reason, field: field)
    }

    static func missing(_ field: String) -> WireError { wrong(field, "is missing") }

    static func unknown(_ field: String, _ value: some WireEnum) -> WireError {
      wrong(field, value.rawValue == 0 ? "is missing" : "\(value.rawValue) is not known here")
    }

    /// A name of the fleet.
    static func name<Name: CheckedName>(_ field: String, _ text: String) throws(WireError) -> Name {
      do { return try Name(text) } catch { throw wrong(field, String(describing: error)) }
    }

    static func names<Name: CheckedName>(_ field: String, _ texts: [String]) throws(WireError)
      -> [Name]
    {
      try list(field, texts, limit: Limits.updates) { text throws(WireError) in try name("", text) }
    }

    /// A text that must come unchanged, and so cannot be cut.
    static func text(_ field: String, _ text: String, limit: Int) throws(WireError) -> String {
      guard text.utf8.count <= limit else { throw wrong(field, "is longer than \(limit) bytes") }
      return text
    }

    static func fence(_ field: String, _ number: UInt64) throws(WireError) -> Fence {
      guard number > 0 else { throw missing(field) }
      return Fence(number)
    }

    static func instant(_ field: String, _ time: GoogleProtobuf.Timestamp?) throws(WireError)
      -> Instant
    {
      guard let time else { throw missing(field) }
      return Instant(time)
    }

    static func optional<Wire, Value>(
      _ field: String, _ wire: Wire?, _ read: (Wire) throws(WireError) -> Value
    ) throws(WireError) -> Value? {
      guard let wire else { return nil }
      return try at(field) { () throws(WireError) in try read(wire) }
    }

    static func list<Wire, Value>(
      _ field: String, _ wires: [Wire], limit: Int, _ read: (Wire) throws(WireError) -> Value
    ) throws(WireError) -> [Value] {
      guard wires.count <= limit else { throw wrong(field, "has more than \(limit) entries") }
      var values: [Value] = []
      values.reserveCapacity(wires.count)
      for (index, wire) in wires.enumerated() {
        values.append(try at("\(field)[\(index)]") { () throws(WireError) in try read(wire) })
      }
      return values
    }
  }
#endif

/// The JSON of proto3 (https://protobuf.dev/programming-guides/json/).
package enum WireJSON {
  /// How to write.
  package struct EncodingOptions: Sendable, Hashable {
    /// Also write fields that are at their default. Fields with presence stay out when unset.
    package var includesDefaults: Bool

    /// One member a line, two spaces a level.
    package var isPretty: Bool

    /// `update_set` instead of `updateSet`.
    package var usesProtoNames: Bool

    package init(
      includesDefaults: Bool = false, isPretty: Bool = false, usesProtoNames: Bool = false
    ) {
      self.includesDefaults = includesDefaults
      self.isPretty = isPretty
      self.usesProtoNames = usesProtoNames
    }
  }

  /// How to read.
  package struct DecodingOptions: Sendable, Hashable {
    /// Skip members that the message does not have, instead of refusing them.
    package var ignoresUnknownFields: Bool

    /// Bounds of size and depth.
    package var limits: WireLimits

    package init(ignoresUnknownFields: Bool = false, limits: WireLimits = .standard) {
      self.ignoresUnknownFields = ignoresUnknownFields
      self.limits = limits
    }
  }
}

extension WireMessage {
  /// The message as proto3 JSON, in UTF-8.
  ///
  /// - Throws: ``WireError`` for a value that JSON has no form for, such as a timestamp outside
  ///   the years 1 to 9999.
  package func jsonBytes(
    _ options: WireJSON.EncodingOptions = .init()
  ) throws(WireError) -> [UInt8] {
    let writer = JSONWriter(options: options)
    do {
      try writeJSON(to: writer)
    } catch {
      throw error.of(Self.wireName)
    }
    return writer.bytes
  }

  /// The message as proto3 JSON.
  ///
  /// - Throws: as ``jsonBytes(_:)``.
  package func jsonString(
    _ options: WireJSON.EncodingOptions = .init()
  ) throws(WireError) -> String {
    String(decoding: try jsonBytes(options), as: UTF8.self)
  }

  /// Reads a message from proto3 JSON: both spellings of field names, numbers and strings for
  /// integers, names and numbers for enums.
  ///
  /// - Throws: ``WireError``: `invalid` with the path of the field, or `tooLarge`.
  package init(
    jsonBytes bytes: some Sequence<UInt8>, options: WireJSON.DecodingOptions = .init()
  ) throws(WireError) {
    do {
      let value = try JSONValue(parsing: Array(bytes), limits: options.limits)
      try self.init(json: value, options: options)
    } catch {
      throw error.of(Self.wireName)
    }
  }

  /// Reads a message from proto3 JSON.
  ///
  /// - Throws: as ``init(jsonBytes:options:)``.
  package init(
    jsonString: String, options: WireJSON.DecodingOptions = .init()
  ) throws(WireError) {
    try self.init(jsonBytes: jsonString.utf8, options: options)
  }
}

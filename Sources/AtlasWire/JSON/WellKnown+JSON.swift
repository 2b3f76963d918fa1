/// The well-known types have their own forms in JSON.
extension GoogleProtobuf.Timestamp {
  /// `"2026-11-22T17:09:00.250Z"`.
  package func writeJSON(to json: JSONWriter) throws(WireError) {
    guard let text = CivilTime.text(seconds: seconds, nanos: nanos) else {
      throw WireError(.invalid, "a timestamp outside the years 1 to 9999")
    }
    json.string(text)
  }

  package init(json: JSONValue, options: WireJSON.DecodingOptions) throws(WireError) {
    guard case .string(let text) = json else { throw json.mismatch("a timestamp in a string") }
    guard let (seconds, nanos) = CivilTime.parse(text) else {
      throw WireError(
        .invalid, "'\(text.prefix(40))' is not a time such as 2026-11-22T17:09:00Z")
    }
    self.init(seconds: seconds, nanos: nanos)
  }
}

extension GoogleProtobuf.Duration {
  /// The largest number of seconds that the format allows, about 10,000 years.
  private static let largestSeconds: Int64 = 315_576_000_000

  private var isValid: Bool {
    (-Self.largestSeconds...Self.largestSeconds).contains(seconds)
      && (-999_999_999...999_999_999).contains(nanos)
      && (seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0))
  }

  /// `"1.500s"`.
  package func writeJSON(to json: JSONWriter) throws(WireError) {
    guard isValid else { throw WireError(.invalid, "not a valid duration") }
    let sign = seconds < 0 || nanos < 0 ? "-" : ""
    json.string(sign + String(seconds.magnitude) + CivilTime.fraction(abs(nanos)) + "s")
  }

  package init(json: JSONValue, options: WireJSON.DecodingOptions) throws(WireError) {
    guard case .string(let text) = json else { throw json.mismatch("a duration in a string") }
    var scanner = CivilTime.Scanner(text)
    let sign: Int64 = scanner.take("-") ? -1 : 1
    guard let seconds = scanner.upTo(12), let nanos = scanner.fraction(), scanner.take("s"),
      scanner.isAtEnd, seconds <= Self.largestSeconds
    else {
      throw WireError(.invalid, "'\(text.prefix(40))' is not a duration such as 1.5s")
    }
    self.init(seconds: sign * seconds, nanos: Int32(sign) * nanos)
  }
}

extension GoogleProtobuf.FieldMask {
  /// `"name,updateSet.cutOff"`.
  package func writeJSON(to json: JSONWriter) throws(WireError) {
    var texts: [String] = []
    for path in paths {
      guard let text = Self.camelCase(path) else {
        throw WireError(.invalid, "the path '\(path.prefix(40))' has no form in JSON")
      }
      texts.append(text)
    }
    json.string(texts.joined(separator: ","))
  }

  package init(json: JSONValue, options: WireJSON.DecodingOptions) throws(WireError) {
    guard case .string(let text) = json else { throw json.mismatch("paths in a string") }
    guard !text.contains("_") else { throw WireError(.invalid, "paths are written in camelCase") }
    self.init(paths: text.split(separator: ",").map { Self.snakeCase($0) })
  }

  /// Nil if the way back would not give the same path.
  private static func camelCase(_ path: String) -> String? {
    var result = ""
    var isAfterUnderscore = false
    for character in path {
      if character == "_" {
        isAfterUnderscore = true
        continue
      }
      result += isAfterUnderscore ? character.uppercased() : String(character)
      isAfterUnderscore = false
    }
    return snakeCase(result[...]) == path ? result : nil
  }

  private static func snakeCase(_ path: Substring) -> String {
    path.reduce(into: "") { result, character in
      result += character.isUppercase ? "_" + character.lowercased() : String(character)
    }
  }
}

extension GoogleProtobuf.`Any` {
  /// Types whose JSON is not an object; inside an `Any` it stands under `value`.
  private static let scalarTypes: Set<String> = [
    GoogleProtobuf.Timestamp.wireName, GoogleProtobuf.Duration.wireName,
    GoogleProtobuf.FieldMask.wireName, GoogleProtobuf.`Any`.wireName,
  ]

  /// The message inside with its type as `@type`. A message of an unknown type, which the format
  /// has no form for, is written with its bytes as `value`.
  package func writeJSON(to json: JSONWriter) throws(WireError) {
    let value = try valueAsJSON(options: json.options)
    try json.object { () throws(WireError) in
      if typeURL.isEmpty { return }
      json.name("@type")
      json.string(typeURL)
      if case .object(let members)? = value, !Self.scalarTypes.contains(messageName) {
        for member in members {
          json.name(member.name)
          try json.value(member.value)
        }
      } else {
        json.name("value")
        try json.value(value ?? .string(Base64.encode(self.value)))
      }
    }
  }

  private func valueAsJSON(options: WireJSON.EncodingOptions) throws(WireError) -> JSONValue? {
    guard let type = WireRegistry.message(named: messageName) else { return nil }
    let writer = JSONWriter(options: options)
    try type.init(decoding: value).writeJSON(to: writer)
    return try JSONValue(parsing: writer.bytes)
  }

  package init(json: JSONValue, options: WireJSON.DecodingOptions) throws(WireError) {
    guard case .object(let members) = json else { throw json.mismatch("an object") }
    if members.isEmpty {
      self.init()
      return
    }
    guard case .string(let typeURL)? = json["@type"] else {
      throw WireError(.invalid, "expected a string", field: "[\"@type\"]")
    }
    self.init(typeURL: typeURL)
    let rest = members.filter { $0.name != "@type" }
    guard let type = WireRegistry.message(named: messageName) else {
      guard case .string(let text)? = json["value"], let bytes = Base64.decode(text),
        rest.count == 1
      else { throw WireError(.invalid, "the type \(messageName) is not known here") }
      value = bytes
      return
    }
    let content =
      Self.scalarTypes.contains(messageName) ? json["value"] ?? .null : .object(rest)
    value = try type.init(json: content, options: options).encode()
  }
}

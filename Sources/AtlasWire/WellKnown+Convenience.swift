extension GoogleProtobuf.Timestamp {
  /// The point this many milliseconds after 1970-01-01T00:00:00Z; negative before it.
  package init(millisecondsSinceEpoch milliseconds: Int64) {
    let (seconds, rest) = milliseconds.flooredQuotientAndRemainder(by: 1000)
    self.init(seconds: seconds, nanos: Int32(rest) * 1_000_000)
  }

  /// Whole milliseconds since 1970-01-01T00:00:00Z, rounded towards the past. Beyond what fits, the
  /// nearest that does: the value may come from a peer.
  package var millisecondsSinceEpoch: Int64 {
    let part = Int64(nanos).flooredQuotientAndRemainder(by: 1_000_000).quotient
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, overflowAgain) = scaled.addingReportingOverflow(part)
    return overflowAgain ? (seconds < 0 ? .min : .max) : sum
  }
}

extension GoogleProtobuf.Duration {
  /// `duration`, rounded towards zero to whole nanoseconds.
  package init(_ duration: Swift.Duration) {
    let (seconds, attoseconds) = duration.components
    self.init(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
  }

  /// This many milliseconds.
  package init(milliseconds: Int64) {
    self.init(seconds: milliseconds / 1000, nanos: Int32(milliseconds % 1000) * 1_000_000)
  }
}

extension Swift.Duration {
  /// The same span of time.
  package init(_ duration: GoogleProtobuf.Duration) {
    self = .seconds(duration.seconds) + .nanoseconds(duration.nanos)
  }
}

extension GoogleProtobuf.`Any` {
  private static let prefix = "type.googleapis.com/"

  /// `message` with its type.
  package init(packing message: some WireMessage) {
    self.init(typeURL: Self.prefix + type(of: message).wireName, value: message.encode())
  }

  /// The full name of the message inside: what follows the last slash of the URL.
  package var messageName: String {
    String(
      typeURL[(typeURL.lastIndex(of: "/").map(typeURL.index(after:)) ?? typeURL.startIndex)...])
  }

  /// The message inside; nil if it is of another type.
  ///
  /// - Throws: ``WireError`` if the bytes are no such message.
  package func unpack<Message: WireMessage>(
    as _: Message.Type, limits: WireLimits = .standard
  ) throws(WireError) -> Message? {
    guard messageName == Message.wireName else { return nil }
    return try Message(decoding: value, limits: limits)
  }
}

extension WireRegistry {
  private static let byName = Dictionary(
    uniqueKeysWithValues: messages.map { ($0.wireName, $0) })

  /// The generated type of the message with this full name.
  package static func message(named name: String) -> (any WireMessage.Type)? { byName[name] }
}

extension FixedWidthInteger where Self: SignedInteger {
  /// Division that rounds down, so that the remainder is never negative.
  func flooredQuotientAndRemainder(by divisor: Self) -> (quotient: Self, remainder: Self) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}

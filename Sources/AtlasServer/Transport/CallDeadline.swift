import GRPCCore

/// How long a client gives a call.
enum CallDeadline {
  /// The metadata entry in which clients say so.
  static let header = "grpc-timeout"

  /// The deadline that a client sent; nil for none, or for one that is not well formed.
  static func asked(in metadata: Metadata) -> Duration? {
    metadata[stringValues: header].first { _ in true }.flatMap { duration(of: $0) }
  }

  /// Reads `TimeoutValue TimeoutUnit` of the gRPC protocol: at most eight digits, and a letter.
  static func duration(of text: String) -> Duration? {
    let digits = text.utf8.dropLast()
    guard (1...8).contains(digits.count), let unit = text.utf8.last,
      digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    let amount = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    return switch unit {
    case UInt8(ascii: "H"): .seconds(amount * 3_600)
    case UInt8(ascii: "M"): .seconds(amount * 60)
    case UInt8(ascii: "S"): .seconds(amount)
    case UInt8(ascii: "m"): .milliseconds(amount)
    case UInt8(ascii: "u"): .microseconds(amount)
    case UInt8(ascii: "n"): .nanoseconds(amount)
    default: nil
    }
  }
}

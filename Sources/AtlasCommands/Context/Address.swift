/// Where a daemon listens: `HOST:PORT`, `[::1]:PORT`, or a host alone for the usual port.
struct Address: Sendable, Hashable, CustomStringConvertible {
  var host: String
  var port: Int

  /// The port of a daemon that was told nothing else.
  static let usualPort = 7443
  static let usual = Address(host: "127.0.0.1", port: usualPort)

  init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// Reads an address.
  ///
  /// - Throws: ``Failure`` saying what is wrong with it.
  init(_ text: String) throws(Failure) {
    let parts = try Self.split(text)
    guard !parts.host.isEmpty, parts.host.utf8.allSatisfy(\.isHostByte) else {
      throw Self.wrong(text, "has no host that could be one")
    }
    host = parts.host
    guard let portText = parts.port else {
      port = Self.usualPort
      return
    }
    guard let number = Int(portText), (1...65_535).contains(number) else {
      throw Self.wrong(text, "has no port between 1 and 65535")
    }
    port = number
  }

  /// Host and port, which is nil where there is none.
  private static func split(
    _ text: String
  ) throws(Failure) -> (host: String, port: String?) {
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { throw wrong(text, "has no “]”") }
      let host = String(text[text.index(after: text.startIndex)..<end])
      let rest = text[text.index(after: end)...]
      if rest.isEmpty { return (host, nil) }
      guard rest.first == ":" else {
        throw wrong(text, "has something else than “:PORT” after “]”")
      }
      return (host, String(rest.dropFirst()))
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    switch parts.count {
    case 1: return (text, nil)
    case 2: return (String(parts[0]), String(parts[1]))
    case _: throw wrong(text, "has more than one “:”; an IPv6 address goes into brackets")
    }
  }

  private static func wrong(_ text: String, _ problem: String) -> Failure {
    .usage("the address “\(text)” \(problem)", hint: "write HOST:PORT, such as 127.0.0.1:7443")
  }

  var isIPv6: Bool { host.contains(":") }
  var isIPv4: Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
  }

  var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension UInt8 {
  fileprivate var isHostByte: Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || ".-_:%".utf8.contains(self)
  }
}

import AtlasModel

/// Which hosts the hooks of a client may reach over HTTP. Nothing is allowed that no rule allows.
package struct HookHostRules: Sendable {
  /// A host, with a port or for every port: `backup.example.net`, `*.example.net:9443`,
  /// `127.0.0.1:8080`, `[2001:db8::7]`, or `*`. `{client}` stands for the client's name in lower
  /// case: `veeam.{client}.example.net`.
  private struct Pattern: Hashable {
    var host: String
    var port: Int?

    init(_ text: String) throws(HookHostRuleError) {
      var host = Substring(text.lowercased())
      if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]"),
        host.hasPrefix("[") || host.firstIndex(of: ":") == colon
      {
        guard let number = UInt16(host[host.index(after: colon)...]), number > 0 else {
          throw HookHostRuleError(text: text)
        }
        port = Int(number)
        host = host[..<colon]
      }
      if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
      let isPlain = host.utf8.allSatisfy { byte in
        ".-_:*{}".utf8.contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      }
      let stars = host.utf8.count { $0 == UInt8(ascii: "*") }
      guard !host.isEmpty, isPlain,
        stars == 0 || host == "*" || (stars == 1 && host.hasPrefix("*."))
      else { throw HookHostRuleError(text: text) }
      self.host = String(host)
    }

    func matches(_ host: String, _ port: Int, _ client: ClientName) -> Bool {
      if let own = self.port, own != port { return false }
      if self.host == "*" { return true }
      var pattern = self.host
      if let name = pattern.firstRange(of: "{client}") {
        pattern.replaceSubrange(name, with: client.text.lowercased())
      }
      if pattern.hasPrefix("*.") { return host.hasSuffix(pattern.dropFirst()) }
      return host == pattern
    }
  }

  private let everyClient: [Pattern]
  private let byClient: [ClientName: [Pattern]]

  /// - Parameters:
  ///   - everyClient: What the hooks of every client may reach.
  ///   - byClient: What those of single clients may reach besides.
  package init(
    everyClient: [String], byClient: [ClientName: [String]] = [:]
  ) throws(HookHostRuleError) {
    self.everyClient = try Self.patterns(everyClient)
    var patterns: [ClientName: [Pattern]] = [:]
    for (client, texts) in byClient { patterns[client] = try Self.patterns(texts) }
    self.byClient = patterns
  }

  private static func patterns(_ texts: [String]) throws(HookHostRuleError) -> [Pattern] {
    var patterns: [Pattern] = []
    for text in texts { patterns.append(try Pattern(text)) }
    return patterns
  }

  /// - Parameter host: A name or an address, without brackets.
  package func allows(host: String, port: Int, client: ClientName) -> Bool {
    let host = host.lowercased()
    return everyClient.contains { $0.matches(host, port, client) }
      || byClient[client]?.contains { $0.matches(host, port, client) } == true
  }
}

/// A text that is no host rule.
package struct HookHostRuleError: Error, Hashable, CustomStringConvertible {
  package var text: String

  package var description: String {
    "“\(text)” is not a host rule; write a host such as backup.example.net or *.example.net, "
      + "with or without :PORT"
  }
}

/// Addresses that no rule can allow: where clouds keep the credentials of the machine, and those
/// that lead to no single host.
enum ForbiddenAddress {
  /// - Parameter bytes: Four for IPv4, sixteen for IPv6.
  static func contains(_ bytes: [UInt8]) -> Bool {
    switch bytes.count {
    case 4: containsIPv4(bytes)
    case 16: containsIPv6(bytes)
    case _: true
    }
  }

  private static func containsIPv4(_ bytes: [UInt8]) -> Bool {
    switch (bytes[0], bytes[1]) {
    case (0, _): true  // this host
    case (169, 254): true  // link-local, and the metadata service of most clouds
    case (224..., _): true  // multicast, reserved, broadcast
    case _: [[100, 100, 100, 200], [168, 63, 129, 16], [192, 0, 0, 192]].contains(bytes)
    }
  }

  private static func containsIPv6(_ bytes: [UInt8]) -> Bool {
    let isUnspecified = bytes.allSatisfy { $0 == 0 }
    let isLinkLocal = bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80
    let isMulticast = bytes[0] == 0xff
    let isMetadata = bytes.starts(with: [0xfd, 0x00, 0x0e, 0xc2])  // fd00:ec2::/32
    return isUnspecified || isLinkLocal || isMulticast || isMetadata
      || embeddedIPv4(bytes).map(containsIPv4) == true
  }

  /// The IPv4 address inside a mapped, translated (RFC 6052) or 6to4 one.
  private static func embeddedIPv4(_ bytes: [UInt8]) -> [UInt8]? {
    let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
    let translated: [UInt8] = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]
    if bytes.starts(with: mapped) || bytes.starts(with: translated) { return Array(bytes[12...]) }
    if bytes.starts(with: [0x20, 0x02]) { return Array(bytes[2..<6]) }
    return nil
  }
}

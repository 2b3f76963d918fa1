import NIOCore

/// Where a peer connects from, as far as limits care.
enum PeerAddress: Sendable, Hashable {
  /// This host.
  case loopback
  /// An IPv4 address, its first byte in the highest bits.
  case v4(UInt32)
  /// The first 64 bits of an IPv6 address: whoever has one address usually has that whole network.
  case v6(UInt64)
  /// A socket without an address.
  case unknown

  init(_ address: SocketAddress?) {
    switch address {
    case .v4(let v4):
      let number = withUnsafeBytes(of: v4.address.sin_addr) { Self.number($0) }
      self = Self.v4(bits: UInt32(truncatingIfNeeded: number))
    case .v6(let v6):
      self = withUnsafeBytes(of: v6.address.sin6_addr) { Self.v6(bytes: $0) }
    case .unixDomainSocket: self = .loopback
    case nil: self = .unknown
    }
  }

  private static func v4(bits: UInt32) -> PeerAddress {
    bits >> 24 == 127 ? .loopback : .v4(bits)
  }

  private static func v6(bytes: UnsafeRawBufferPointer) -> PeerAddress {
    let high = number(bytes.prefix(8))
    let low = number(bytes.suffix(8))
    if high == 0, low == 1 { return .loopback }
    // ::ffff:a.b.c.d is an IPv4 peer of a socket that serves both.
    if high == 0, low >> 32 == 0xFFFF { return v4(bits: UInt32(truncatingIfNeeded: low)) }
    return .v6(high)
  }

  /// The big-endian number in up to eight bytes.
  private static func number(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }
}

/// One of the steps in which a campaign reaches the fleet; ring n + 1 opens when the gates of the
/// rings before it pass.
package struct Ring: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// 0 (own servers, the canary) to ``last``.
  package let number: UInt8

  /// - Returns: nil beyond ``last``.
  package init?(_ number: Int) {
    guard (0...Int(Ring.last.number)).contains(number) else { return nil }
    self.number = UInt8(number)
  }

  private init(unchecked number: UInt8) { self.number = number }

  /// The provider's own servers.
  package static let canary = Ring(unchecked: 0)
  package static let pilot = Ring(unchecked: 1)
  package static let standard = Ring(unchecked: 2)
  package static let critical = Ring(unchecked: 3)
  /// The highest ring a fleet may use. Four have a meaning; a few more cost nothing.
  package static let last = Ring(unchecked: 7)

  package static func < (left: Ring, right: Ring) -> Bool { left.number < right.number }

  package var description: String { String(number) }

  /// The name of a ring that the fleet gives no name of its own.
  package var defaultName: String {
    switch number {
    case 0: "canary"
    case 1: "pilot"
    case 2: "standard"
    case 3: "critical"
    case _: "ring-\(number)"
    }
  }
}

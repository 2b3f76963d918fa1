/// What a fleet calls one of its rings, such as “pilots” for ring 1.
package struct RingName: Hashable, Sendable {
  package var ring: Ring
  /// 1 to ``Limits/ringName`` bytes of printable text, unique in the fleet.
  package var name: String

  package init(ring: Ring, name: String) {
    self.ring = ring
    self.name = name
  }
}

extension Fleet {
  /// The fleet's own name for `ring`, or the usual one.
  package func name(of ring: Ring) -> String {
    ringNames.first { $0.ring == ring }?.name ?? ring.defaultName
  }
}

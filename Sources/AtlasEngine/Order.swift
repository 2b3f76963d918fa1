import AtlasModel

/// Where a server stands in its client's lane: what the fleet says, then what its roles say, then
/// its number and name.
struct LaneOrder: Comparable {
  let explicit: Int
  let rank: Int
  let number: Int
  let name: ServerName

  /// - Parameter hasGuests: It is a host, whatever its roles say.
  init(_ config: ServerConfig, hasGuests: Bool = false) {
    explicit = config.updateOrder ?? Self.unnumbered
    let byRoles = config.roles.map(Self.rank).max() ?? 0
    rank = config.carriesAtlas ? 4 : max(byRoles, hasGuests ? 1 : 0)
    number = config.number
    name = config.name
  }

  static func < (left: LaneOrder, right: LaneOrder) -> Bool {
    (left.explicit, left.rank, left.number, left.name)
      < (right.explicit, right.rank, right.number, right.name)
  }

  /// Servers with an explicit place come before those without.
  private static var unnumbered: Int { .max }

  /// Ordinary servers first, hosts after their guests, domain controllers last, and the holder of
  /// the operations master roles the very last; only what carries Atlas (4) comes behind it.
  private static func rank(_ role: Role) -> Int {
    switch role.text {
    case "HV", "HOST", "ESX": 1
    case "DC": 2
    case "FSMO", "PDC": 3
    case _: 0
    }
  }
}

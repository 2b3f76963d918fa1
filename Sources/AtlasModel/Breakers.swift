/// What keeps a campaign, or a part of it, from going on by itself when servers fail.
///
/// A server counts when it comes to be FAILED or HELD, once for each attempt series.
package struct Breakers: Hashable, Sendable {
  /// As many servers of a client hold its lane, 1 to 100; nil for any number.
  package var maxFailedPerClient: Int? = 2
  /// Least share of good ones among the last ``sample`` servers, in per cent, 1 to 100; below it
  /// the campaign pauses. Nil: it is not looked at.
  package var successRate: Int? = 80
  /// How many of the servers attempted last are looked at, 1 to ``Limits/breakerSample``.
  package var sample = 20
  /// Clients that fail in the same way with the same role and system before these are held in the
  /// whole campaign, 1 to 100; nil: never.
  package var signatureClients: Int? = 3
  /// Clients in a row whose update source does not answer before the whole campaign waits for it,
  /// 1 to 100; nil: never.
  package var sourceClients: Int? = 3
  /// Servers in a row of one client before its lane waits for its source, 1 to 100; nil: never.
  package var sourceServers: Int? = 2

  package init() {}

  /// Nothing stops by itself.
  package static var off: Breakers {
    var off = Breakers()
    off.maxFailedPerClient = nil
    off.successRate = nil
    off.signatureClients = nil
    off.sourceClients = nil
    off.sourceServers = nil
    return off
  }

  /// Whether so many bad ones among the last ``sample`` are too many, even if all others of a whole
  /// sample were good.
  package func isBroken(bad: Int) -> Bool {
    guard let successRate else { return false }
    return bad * 100 > sample * (100 - successRate)
  }
}

/// How many runs may use something at once that servers share, such as a datastore; over all
/// clients and campaigns.
package struct ResourceLimit: Hashable, Sendable {
  package var name: ResourceName
  /// 1 to ``Limits/servers``.
  package var limit: Int

  package init(name: ResourceName, limit: Int) {
    self.name = name
    self.limit = limit
  }
}

import AtlasModel

/// Something that stays until a person lifts it.
package struct Latch: Hashable, Sendable {
  package var reason: String
  package var principal: String
  package var since: Instant
  /// When it ends by itself; nil when only a person ends it.
  package var until: Instant?
  /// Ticket or change it belongs to; may be empty.
  package var ticket: String

  package init(
    reason: String, principal: String, since: Instant, until: Instant? = nil, ticket: String = ""
  ) {
    self.reason = reason
    self.principal = principal
    self.since = since
    self.until = until
    self.ticket = ticket
  }
}

/// A latched emergency stop.
package struct StopLatch: Hashable, Sendable {
  package var latch: Latch
  /// Commands below it that have not begun must not begin.
  package var fence: Fence

  package init(latch: Latch, fence: Fence) {
    self.latch = latch
    self.fence = fence
  }
}

/// The part of a campaign that people pause and resume.
package enum PauseScope: Hashable, Sendable {
  case all
  case ring(Ring)
  case client(ClientID)
}

/// A pause of a campaign or of a part of it.
package struct Pause: Hashable, Sendable {
  package var scope: PauseScope
  package var latch: Latch

  package init(scope: PauseScope, latch: Latch) {
    self.scope = scope
    self.latch = latch
  }
}

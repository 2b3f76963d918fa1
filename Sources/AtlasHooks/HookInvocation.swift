import AtlasModel

/// A set of hook files, named by the SHA-256 over all of them in hexadecimal.
///
/// A campaign pins the revision that is current when it starts.
package struct HookRevisionID: Hashable, Sendable, CustomStringConvertible {
  package let text: String

  package init(_ text: String) { self.text = text }

  package var description: String { text }
}

/// One call of a hook function: everything the function may know, and until when it may run.
package struct HookInvocation: Hashable, Sendable {
  package var point: HookPoint
  /// `run.key`: names snapshots; the same when the function runs again after a crash.
  package var key: String
  package var client: ClientName
  package var site: SiteName
  package var server: ServerName
  package var roles: [Role]
  package var ring: Ring
  package var campaign: CampaignName
  /// Counted from 1.
  package var attempt: Int
  /// Passes of UPDATE and REBOOT so far, counted from 1.
  package var pass: Int
  package var phase: Phase
  /// Campaign time at which it is stopped.
  package var deadline: Instant
  /// Reads are real, writes are only logged.
  package var dryRun: Bool
  /// It may have run before, in part: the daemon died, or the agent was away.
  package var restarted: Bool
  /// The run is on its way back.
  package var rollback: Bool
  /// The snapshot recorded for the run; empty when there is none.
  package var snapshotID: String
  /// The server's group; nil for a server without one.
  package var group: GroupName?
  /// The other servers of the group.
  package var peers: [ServerName]
  /// For the hooks of maintenance: when it is to end by itself at the latest.
  package var expires: Instant?
  /// What became of the updates, as far as the agent has reported.
  package var updates: [UpdateResult]
  /// The revision that the campaign pinned.
  package var revision: HookRevisionID

  package init(
    point: HookPoint, key: String, client: ClientName, site: SiteName, server: ServerName,
    roles: [Role] = [], ring: Ring = .standard, campaign: CampaignName, attempt: Int = 1,
    pass: Int = 1, phase: Phase, deadline: Instant, dryRun: Bool = false, restarted: Bool = false,
    rollback: Bool = false, snapshotID: String = "", group: GroupName? = nil,
    peers: [ServerName] = [], expires: Instant? = nil, updates: [UpdateResult] = [],
    revision: HookRevisionID
  ) {
    self.point = point
    self.key = key
    self.client = client
    self.site = site
    self.server = server
    self.roles = roles
    self.ring = ring
    self.campaign = campaign
    self.attempt = attempt
    self.pass = pass
    self.phase = phase
    self.deadline = deadline
    self.dryRun = dryRun
    self.restarted = restarted
    self.rollback = rollback
    self.snapshotID = snapshotID
    self.group = group
    self.peers = peers
    self.expires = expires
    self.updates = updates
    self.revision = revision
  }
}

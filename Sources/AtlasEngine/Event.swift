import AtlasModel

/// Something that has happened outside the engine.
package enum Event: Hashable, Sendable {
  // From people; these may be refused.
  /// `ringNames` are all there are from now on; nil leaves them as they are.
  case fleetImported(
    clients: [ClientConfig], servers: [ServerConfig], ringNames: [RingName]? = nil, by: String)
  /// Indirect, because it is large and rare: all other events would be as large.
  indirect case createCampaign(CampaignDraft, by: String)
  /// `hookRevision` is what the campaign pins; `plan` is kept, if it is still true. Indirect,
  /// because a plan is large.
  indirect case startCampaign(
    CampaignID, ifMatch: UInt64?, hookRevision: String, plan: KeptPlan? = nil, by: String)
  case pauseCampaign(CampaignID, PauseScope, reason: String, by: String)
  case resumeCampaign(CampaignID, PauseScope, now: Bool, by: String)
  case cancelCampaign(CampaignID, reason: String, by: String)
  /// Another policy for what has not started. Indirect, because it is large and rare.
  indirect case editCampaign(CampaignID, CampaignEdit, by: String)
  case promoteRing(CampaignID, Ring, reason: String, by: String)
  case excludeUpdate(CampaignID, UpdateID, reason: String, by: String)
  /// A kind of servers that failed in the same way at several clients may start again.
  indirect case releaseSignature(CampaignID, ServerKind, reason: String, by: String)
  /// Servers of a role and a system, nil for any, need no representative.
  indirect case waiveRepresentative(
    CampaignID, Role?, system: String?, reason: String, by: String)
  case retryRun(RunRef, reason: String, by: String)
  case skipRun(RunRef, reason: String, by: String)
  /// The person looks after a held run from now on.
  case claimRun(RunRef, by: String)
  /// The server carries Atlas, and may start all the same, once.
  case approveRun(RunRef, reason: String, by: String)
  case resolveRun(RunRef, Decision, version: UInt32, reason: String, by: String)
  case pauseClient(ClientID, reason: String, by: String)
  /// Ends its pause and its postponement, whichever there is.
  case resumeClient(ClientID, by: String)
  /// Nothing new is started until then; nil: until its next window.
  case postponeClient(ClientID, until: Instant?, reason: String, by: String)
  case lockServer(ServerID, Latch)
  case unlockServer(ServerID, by: String)
  case retireServer(ServerID, reason: String, by: String)
  /// The server is down or unexplained, and need not be counted until its agent is back.
  case dismissServer(ServerID, reason: String, by: String)
  /// Takes a dismissal back.
  case recallServer(ServerID, by: String)
  /// Indirect, because it is large and rare.
  indirect case declareOutage(ClientID, Outage)
  case endOutage(ClientID, by: String)
  /// Nil stops the whole fleet.
  case stop(ClientID?, reason: String, by: String)
  case releaseStop(ClientID?, reason: String, by: String)

  // From the world; these are never refused.
  /// A session of the server's agent began; what its journal knows settles what was open. Nothing
  /// but a record comes of a Hello that ``ControlState/doubt(about:)`` does not believe.
  case agentBack(ServerID, Hello)
  /// The session of the server's agent ended.
  case agentSilent(ServerID)
  case acknowledged(ServerID, CommandAcknowledgement)
  case reported(ServerID, CommandReport)
  case hookFinished(RunRef, serial: UInt16, HookVerdict)
  /// The command was handed to the agent's session. Not a transition, and not recorded.
  case commandSent(ServerID, Fence)
  /// When the client may be worked on, up to `until`; replaces what was known, unless it answers an
  /// earlier question than the newest.
  /// `narrowed` are the windows of campaigns that have their own, in the client's zone: such a
  /// campaign works only while both are open.
  case windowsExpanded(
    ClientID, [Interval], narrowed: [NarrowedWindows] = [], until: Instant, question: UInt32)
  /// Time has passed: everything that was due is done.
  case timePassed
}

/// When a campaign with windows of its own may work on a client, its client's windows aside.
package struct NarrowedWindows: Hashable, Sendable {
  package let campaign: CampaignID
  /// Sorted, not touching each other.
  package let windows: [Interval]

  package init(campaign: CampaignID, windows: [Interval]) {
    self.campaign = campaign
    self.windows = windows
  }
}

/// What a person gives to make a campaign.
package struct CampaignDraft: Hashable, Sendable {
  package var name: CampaignName
  package var selection: Selection
  package var updateSet: UpdateSet
  package var policy: Policy
  package var overrides: [ClientPolicy]
  package var endsAt: Instant?
  package var changeReference: String
  /// The campaign whose completed servers are to be undone; its update set is the one to be gone.
  package var rollbackOf: CampaignID?
  /// The windows of its policy in the zones of the fleet, as far ahead as those of clients are known;
  /// empty when nobody has worked them out. Only for checks: the calendar is asked for them again.
  package var ownWindows: [ZoneWindows]

  package init(
    name: CampaignName, selection: Selection = Selection(), updateSet: UpdateSet = UpdateSet(),
    policy: Policy = Policy(), overrides: [ClientPolicy] = [], endsAt: Instant? = nil,
    changeReference: String = "", rollbackOf: CampaignID? = nil, ownWindows: [ZoneWindows] = []
  ) {
    self.ownWindows = ownWindows
    self.rollbackOf = rollbackOf
    self.name = name
    self.selection = selection
    self.updateSet = updateSet
    self.policy = policy
    self.overrides = overrides
    self.endsAt = endsAt
    self.changeReference = changeReference
  }
}

/// What a hook function said, as far as it matters here.
package enum HookVerdict: Hashable, Sendable {
  /// Indirect, because it is large: all events would be as large.
  indirect case ok(backup: BackupFact?, snapshot: SnapshotFact?)
  /// `pre_update` only: leave this server out.
  case skip(String)
  case deferred(after: Duration?, reason: String)
  case fail(String, retryable: Bool)
  /// The script or the runtime failed; nothing was proven.
  case error(String)
  /// Its deadline passed.
  case timeout(String)
  case cancelled
  /// `order_group` only: this member of the group is next.
  case next(ServerName)
  /// Neither the client's hooks nor the defaults have the function.
  case notDefined
  /// It recorded a snapshot before it ended in another way than `ok`: the snapshot is there.
  indirect case left(SnapshotFact, after: HookVerdict)

  /// The snapshot that it recorded, however it ended.
  var snapshot: SnapshotFact? {
    switch self {
    case .ok(_, let snapshot): snapshot
    case .left(let snapshot, _): snapshot
    case .skip, .deferred, .fail, .error, .timeout, .cancelled, .next, .notDefined: nil
    }
  }
}

import AtlasModel

/// What the shell is to do after the events that caused it are committed.
///
/// Order matters: effects are carried out in the order in which they were decided.
package enum Effect: Hashable, Sendable {
  /// Append to the log.
  case record(Record)
  /// The current value must be in the store.
  case save(Item)
  /// Put into the outbox, and hand to the agent's session.
  /// Indirect, because it is large: all other effects would be as large.
  indirect case command(RunRef, ServerID, Command)
  /// Take out of the outbox: acknowledged, or not wanted any more.
  case withdraw(Fence)
  /// Tell the agent to drop a command that it has not begun.
  case cancelCommand(ServerID, fence: Fence, command: Fence)
  /// Tell every agent (of the client; nil: all) about a stop.
  case tellStop(ClientID?, Fence)
  /// Tell the agent that its report is committed.
  case acknowledge(ServerID, Fence, seq: UInt32)
  case startHook(HookStart)
  case cancelHook(RunRef, serial: UInt16)
  /// Say when the client may be worked on.
  case expandWindows(ClientID, question: UInt32)

  /// A thing with a row of its own in the store.
  package enum Item: Hashable, Sendable {
    case client(ClientID)
    case server(ServerID)
    case campaign(CampaignID)
    case run(RunRef)
    /// How long servers of a kind took; its place in ``ControlState/histories``.
    case history(Int)
    /// The plan that a campaign started with.
    case plan(CampaignID)
    /// A policy that a campaign had before; its place in ``Campaign/earlier``.
    case earlierPolicy(CampaignID, Int)
    /// The global stop and the fleet's version.
    case control
  }
}

/// Which hook is to run, and until when.
package struct HookStart: Hashable, Sendable {
  package var run: RunRef
  package var point: HookPoint
  package var serial: UInt16
  package var deadline: Instant
  /// It may have run before: the daemon died, or the agent was away.
  package var restarted: Bool
  /// For the hooks of maintenance: when it is to end by itself at the latest; nil for the others.
  package var expires: Instant?

  package init(
    run: RunRef, point: HookPoint, serial: UInt16, deadline: Instant, restarted: Bool,
    expires: Instant? = nil
  ) {
    self.run = run
    self.point = point
    self.serial = serial
    self.deadline = deadline
    self.restarted = restarted
    self.expires = expires
  }
}

/// One transition, before names and hashes are put to it.
package struct Record: Hashable, Sendable {
  package var kind: RecordKind
  package var campaign: CampaignID?
  package var client: ClientID?
  package var server: ServerID?
  package var run: Int32?
  package var ring: Ring?
  package var from: RunState.Kind?
  package var to: RunState.Kind?
  package var phase: Phase?
  package var attempt: UInt8?
  package var pass: UInt8?
  package var fence: Fence?
  /// In one word, for programs.
  package var detail: String
  /// In a sentence, for people.
  package var reason: String
  /// Who asked for it; empty when the engine decided.
  package var principal: String

  package init(
    _ kind: RecordKind, campaign: CampaignID? = nil, client: ClientID? = nil,
    server: ServerID? = nil, ring: Ring? = nil, fence: Fence? = nil, detail: String = "",
    reason: String = "", principal: String = ""
  ) {
    self.kind = kind
    self.campaign = campaign
    self.client = client
    self.server = server
    self.ring = ring
    self.fence = fence
    self.detail = detail
    self.reason = reason
    self.principal = principal
  }

  /// A record about a run: everything is known.
  @inline(__always)
  init(
    _ kind: RecordKind, run: RunRef, client: ClientID, server: ServerID, ring: Ring,
    from: RunState.Kind, to: RunState.Kind, phase: Phase?, attempt: UInt8, pass: UInt8,
    fence: Fence?, detail: String, reason: String, principal: String
  ) {
    self.kind = kind
    self.campaign = run.campaign
    self.client = client
    self.server = server
    self.run = run.index
    self.ring = ring
    self.from = from
    self.to = to
    self.phase = phase
    self.attempt = attempt
    self.pass = pass
    self.fence = fence
    self.detail = detail
    self.reason = reason
    self.principal = principal
  }
}

/// What a record is about.
package enum RecordKind: String, CaseIterable, Hashable, Sendable {
  case clientImported = "client.imported"
  case clientPaused = "client.paused"
  case clientResumed = "client.resumed"
  case clientPostponed = "client.postponed"
  /// No server of it is in contact any more: urgent.
  case clientDark = "client.dark"
  /// The end of that.
  case clientBack = "client.back"
  /// Something around the servers is at fault, contact or an update source: nothing new is started.
  case environmentHeld = "environment.held"
  case environmentResumed = "environment.resumed"
  case clientOutageDeclared = "client.outage_declared"
  case clientOutageEnded = "client.outage_ended"
  case serverImported = "server.imported"
  case serverLocked = "server.locked"
  case serverUnlocked = "server.unlocked"
  case serverRetired = "server.retired"
  /// A person has said that a silent server need not be counted.
  case serverDismissed = "server.dismissed"
  /// A dismissal is over: the agent is back, or a person took it back.
  case serverRecalled = "server.recalled"
  /// Its agent is back after it was away longer than expected, and not by Atlas's order; the detail is
  /// since when, in milliseconds since 1970.
  case serverBack = "server.back"
  /// The same of an absence that is over here although its agent is not back: the server is
  /// retired, or another client's.
  case serverAway = "server.away"
  /// An agent's Hello is not believed: it gets no session.
  case agentRefused = "agent.refused"
  case hooksLoaded = "hooks.loaded"
  case campaignCreated = "campaign.created"
  case campaignStarted = "campaign.started"
  case campaignPaused = "campaign.paused"
  case campaignResumed = "campaign.resumed"
  case campaignCancelling = "campaign.cancelling"
  case campaignEnded = "campaign.ended"
  case campaignChanged = "campaign.changed"
  /// What has not started goes by another policy from now on.
  case campaignEdited = "campaign.edited"
  case laneHeld = "lane.held"
  /// A kind of servers fails in the same way at several clients: no more of them are started.
  case signatureHeld = "signature.held"
  case signatureReleased = "signature.released"
  case representativeWaived = "representative.waived"
  case ringStarted = "ring.started"
  case ringCompleted = "ring.completed"
  case gateOpened = "gate.opened"
  case gateClosed = "gate.closed"
  case gateNeedsPerson = "gate.needs_person"
  /// A person gives the approval that is all that the gates before a ring still wait for.
  case ringApproved = "ring.approved"
  /// A person opens the gates before a ring for the rest of the campaign.
  case ringPromoted = "ring.promoted"
  case stopLatched = "stop.latched"
  case stopReleased = "stop.released"
  case runStarted = "run.started"
  case runPhase = "run.phase"
  case runBackoff = "run.backoff"
  case runRetried = "run.retried"
  case runDeferred = "run.deferred"
  case runGivenBack = "run.given_back"
  case runParked = "run.parked"
  case runHeld = "run.held"
  /// A person looks after it, perhaps instead of another.
  case runClaimed = "run.claimed"
  /// Still held at its deadline; said once.
  case runHoldOverdue = "run.hold_overdue"
  case runBack = "run.back"
  case runResolved = "run.resolved"
  case runCreated = "run.created"
  /// A person lets a server go that carries Atlas.
  case runApproved = "run.approved"
  case runCompleted = "run.completed"
  case runFailed = "run.failed"
  case runNotAttempted = "run.not_attempted"
  case runSkipped = "run.skipped"
  case runPostponed = "run.postponed"
  /// Its snapshot was kept after its end, and is gone.
  case runSnapshotRemoved = "run.snapshot_removed"
  /// A rollback campaign has undone it.
  case runUndone = "run.undone"
  /// Worth a look, but not a transition: overdue, no progress, cleaning up failed.
  case runWarning = "run.warning"
}

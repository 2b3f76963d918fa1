import AtlasEngine
import AtlasModel

/// What a caller asks of the control machine.
package enum ControlRequest: Sendable {
  case change(Change, Caller)
  case read(Read)
  /// Whether a request with this id was answered before: answered with its first answer, with
  /// ``ControlError/requestIDReused(_:)``, or with ``ControlAnswer/done`` when it is new. For
  /// requests whose change depends on what is there now.
  case recall(Caller)
  /// Campaigns that are started from now on pin this revision of the hooks; answered with
  /// ``ControlAnswer/done``.
  case loadHooks(revision: String, Caller)
  /// Reports of an agent that has no session; answered with ``ControlAnswer/done``.
  case report(ServerName, [CommandReport])
}

/// Who asks, and under which id a repeat is known.
package struct Caller: Hashable, Sendable {
  /// Who, for the log.
  package var principal: String
  /// Name of the method, such as `EmergencyStop`.
  package var method: String
  /// Empty: a repeat is carried out again.
  package var requestID: String
  /// SHA-256 of the request's content; not looked at without a request id.
  package var contentHash: [UInt8]
  /// The answer's bytes, where the caller knows them beforehand.
  package var encodedAnswer: [UInt8]?

  package init(
    principal: String, method: String, requestID: String = "", contentHash: [UInt8] = [],
    encodedAnswer: [UInt8]? = nil
  ) {
    self.encodedAnswer = encodedAnswer
    self.principal = principal
    self.method = method
    self.requestID = requestID
    self.contentHash = contentHash
  }
}

/// A request that changes something.
package enum Change: Sendable {
  /// `ringNames` are all there are from now on; nil leaves them as they are. Refused when the fleet
  /// is no longer the one of `ifVersion`, so that no change of another is undone.
  case importFleet(
    clients: [ClientConfig], servers: [ServerConfig], ringNames: [RingName]? = nil,
    ifVersion: UInt64? = nil)
  /// Refused when the client's etag is another by now.
  case updateClient(ClientConfig, ifMatch: String)
  case createCampaign(CampaignRequest)
  /// `plan` is what ``CampaignPlan/kept`` of its newest plan says, to be compared with what really
  /// happens; it is left out when something has changed since, and that is in the log.
  case startCampaign(CampaignName, ifMatch: String, plan: KeptPlan? = nil)
  case pauseCampaign(CampaignName, ScopeRequest, reason: String)
  case resumeCampaign(CampaignName, ScopeRequest, now: Bool)
  case cancelCampaign(CampaignName, reason: String)
  /// Refused when the campaign's ``CampaignView/version`` is another by now, if one is given.
  case editCampaign(CampaignName, PolicyRequest)
  case promoteRing(CampaignName, Ring, reason: String)
  case excludeUpdate(CampaignName, UpdateID, reason: String)
  /// Servers of a role (nil: without one) and a system that fail alike may start again.
  case releaseSignature(CampaignName, role: Role?, system: String, reason: String)
  /// Servers of a role and a system, nil for any, start without a representative.
  case waiveRepresentative(CampaignName, role: Role?, system: String?, reason: String)
  case retryRun(CampaignName, ServerName, reason: String)
  case skipRun(CampaignName, ServerName, reason: String)
  /// Refused when the run's etag is another by now.
  case claimRun(CampaignName, ServerName, etag: String)
  /// The server carries Atlas, and may start all the same, once.
  case approveRun(CampaignName, ServerName, reason: String)
  case resolveRun(CampaignName, ServerName, Decision, etag: String, reason: String)
  case pauseClient(ClientName, reason: String)
  /// Ends its pause and its postponement, whichever there is.
  case resumeClient(ClientName)
  /// Nothing new until then, in any campaign; nil: until its next window.
  case postponeClient(ClientName, until: Instant?, reason: String)
  case lockServer(ServerName, reason: String, until: Instant?, ticket: String)
  case unlockServer(ServerName)
  case retireServer(ServerName, reason: String)
  /// The server is down or unexplained, and need not be counted until its agent is back.
  case dismissServer(ServerName, reason: String)
  /// Takes a dismissal back.
  case recallServer(ServerName)
  /// The client agrees to be without service; `from` nil: from now on. `parallel` servers may be in
  /// progress at once meanwhile; nil keeps the client's own number. Replaces the one before.
  case declareOutage(
    ClientName, from: Instant?, until: Instant, parallel: Int?, reason: String)
  case endOutage(ClientName)
  case stop(ClientName?, reason: String)
  case releaseStop(ClientName?, reason: String)
}

/// A campaign to be made, with names where the engine has numbers.
package struct CampaignRequest: Hashable, Sendable {
  package var name: CampaignName
  package var selection: Selection
  package var updateSet: UpdateSet
  package var policy: Policy
  /// The whole policy as it is for single clients.
  package var overrides: [ClientName: Policy]
  package var endsAt: Instant?
  package var changeReference: String
  /// The campaign whose completed servers are to be undone, within the selection; nil for a campaign
  /// that installs. The update set is left out then: it is that of the other campaign.
  package var rollbackOf: CampaignName?
  /// The windows of its policy in the zones of the fleet, where somebody has worked them out: see
  /// ``CampaignDraft/ownWindows``.
  package var ownWindows: [ZoneWindows]

  package init(
    name: CampaignName, selection: Selection = Selection(), updateSet: UpdateSet = UpdateSet(),
    policy: Policy = Policy(), overrides: [ClientName: Policy] = [:], endsAt: Instant? = nil,
    changeReference: String = "", rollbackOf: CampaignName? = nil, ownWindows: [ZoneWindows] = []
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

/// Another policy for a campaign that is there already, with names where the engine has numbers.
package struct PolicyRequest: Hashable, Sendable {
  package var policy: Policy
  /// The whole policy as it is for single clients.
  package var overrides: [ClientName: Policy]
  /// Nil leaves the end where it is.
  package var endsAt: Instant?
  package var ifVersion: UInt32?
  /// What is different, in words, for the log.
  package var changes: String
  package var reason: String
  /// As ``CampaignRequest/ownWindows``.
  package var ownWindows: [ZoneWindows]

  package init(
    policy: Policy, overrides: [ClientName: Policy] = [:], endsAt: Instant? = nil,
    ifVersion: UInt32? = nil, changes: String, reason: String = "", ownWindows: [ZoneWindows] = []
  ) {
    self.ownWindows = ownWindows
    self.policy = policy
    self.overrides = overrides
    self.endsAt = endsAt
    self.ifVersion = ifVersion
    self.changes = changes
    self.reason = reason
  }
}

/// Part of a campaign, by name.
package enum ScopeRequest: Hashable, Sendable {
  case all
  case ring(Ring)
  case client(ClientName)
}

/// A request that changes nothing.
package enum Read: Sendable {
  case campaign(CampaignName)
  case campaigns(after: String, limit: Int)
  case rings(CampaignName)
  /// Kinds of servers that wait for people: those that fail alike, and those without a
  /// representative.
  case kinds(CampaignName)
  /// What starting the campaign now would do, and what it would if something were otherwise; each
  /// key once, which ``WhatIf/parse(_:)`` sees to.
  case plan(CampaignName, whatIf: [WhatIf])
  case runs(CampaignName, RunFilter, after: Int, limit: Int)
  case run(CampaignName, ServerName)
  case clients(after: String, limit: Int)
  case client(ClientName)
  case servers(ClientName?, after: String, limit: Int)
  case server(ServerName)
  case windows(ClientName, from: Instant?, count: Int)
  /// The next openings of a client's windows, 1 to ``Limits/openings``, with what changes of the
  /// clocks and freezes do to them; `from` nil: from now on.
  case clientWindows(ClientName, from: Instant?, count: Int)
  /// How long servers of each kind took, and beside it the estimates of the campaign's policy; nil:
  /// those of a policy that says nothing. At most ``Limits/measuredKinds``.
  case estimates(CampaignName?)
  case stops
  case metrics(CampaignName?, ClientName?, details: Bool)
  case fleet
  /// The whole state, for what takes longer to work out than the machine may stand still.
  case snapshot
}

/// Which runs of a campaign are wanted.
package struct RunFilter: Hashable, Sendable {
  /// Empty: all.
  package var states: [RunState.Kind]
  package var client: ClientName?
  package var ring: Ring?

  package init(states: [RunState.Kind] = [], client: ClientName? = nil, ring: Ring? = nil) {
    self.states = states
    self.client = client
    self.ring = ring
  }
}

/// What a caller gets.
package enum ControlReply: Sendable {
  case answer(ControlAnswer)
  /// The answer that was given to the first request of this id, as it was encoded then.
  case repeated([UInt8])
  case refused(ControlError)
}

/// An answer, in names.
package enum ControlAnswer: Sendable {
  case done
  case campaign(CampaignView, inFlight: Int)
  case campaigns([CampaignView], next: String)
  case rings([RingView])
  case kinds(held: [HeldKindView], missing: [MissingKindView])
  /// To be worked out by the caller: see ``PlanWork/work()``.
  case plan(PlanWork)
  case runs([RunView], next: Int?)
  /// Newest last.
  case run([RunView])
  case clients([ClientView], next: String)
  case client(ClientView)
  /// A client that was put off, and what is in progress all the same.
  case postponed(ClientView, inFlight: [InFlightView])
  case servers([ServerView], next: String)
  case server(ServerView)
  case windows([Interval], zone: String, openNow: Bool)
  /// `etag` is the one of the client whose windows and freezes they follow from.
  case clientWindows(WindowOpenings, zone: String, openNow: Bool, etag: String)
  /// By role, then system.
  case estimates([EstimateView])
  case stopped(StopView, inFlight: Int)
  case released(StopView, paused: [CampaignName])
  case stops(StopsView)
  case metrics(MetricsView)
  /// `version` grows with every change of the fleet.
  case fleet(Fleet, version: UInt64)
  case snapshot(ControlSnapshot)
}

/// The state at one moment, to work on in peace: a copy that costs nothing until one of them
/// changes.
package struct ControlSnapshot: Sendable {
  package let state: ControlState
  package let now: Instant
  package let demoFactor: Int
  /// Position of the last record that the state has; what comes after it is news to it.
  package let lastSeq: UInt64

  package init(state: ControlState, now: Instant, demoFactor: Int, lastSeq: UInt64 = .max) {
    self.state = state
    self.now = now
    self.demoFactor = demoFactor
    self.lastSeq = lastSeq
  }
}

/// Why a request was not carried out; nothing has changed.
package enum ControlError: Error, Hashable, Sendable {
  /// There is no such thing; `nearest` is what was probably meant.
  case notFound(kind: String, name: String, nearest: String? = nil)
  /// The engine does not allow it.
  case refused(Refusal)
  /// The same request id was used with other content.
  case requestIDReused(String)
  /// Too much is waiting; try again.
  case overloaded
  /// The daemon is going down.
  case shuttingDown
}

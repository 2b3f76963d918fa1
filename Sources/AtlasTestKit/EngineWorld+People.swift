import AtlasEngine
import AtlasModel

/// What people do, in one line each.
extension EngineWorld {
  /// Creates a campaign and starts it.
  @discardableResult
  package mutating func campaign(
    _ name: String, policy: Policy = Policy(), selection: Selection = Selection(),
    updateSet: UpdateSet = UpdateSet(), overrides: [ClientPolicy] = [], endsAt: Instant? = nil,
    changeReference: String = "", rollbackOf: CampaignID? = nil
  ) -> CampaignID {
    let id = draft(
      name, policy: policy, selection: selection, updateSet: updateSet, overrides: overrides,
      endsAt: endsAt, changeReference: changeReference, rollbackOf: rollbackOf)
    step(.startCampaign(id, ifMatch: nil, hookRevision: "r1", by: "anna"))
    return id
  }

  /// Creates a campaign.
  @discardableResult
  package mutating func draft(
    _ name: String, policy: Policy = Policy(), selection: Selection = Selection(),
    updateSet: UpdateSet = UpdateSet(), overrides: [ClientPolicy] = [], endsAt: Instant? = nil,
    changeReference: String = "", rollbackOf: CampaignID? = nil
  ) -> CampaignID {
    let id = CampaignID(state.campaigns.count)
    checker.know(policy, overrides, isRollback: rollbackOf != nil)
    let draft = CampaignDraft(
      name: CampaignName(trusted: name), selection: selection, updateSet: updateSet,
      policy: policy, overrides: overrides, endsAt: endsAt, changeReference: changeReference,
      rollbackOf: rollbackOf)
    step(.createCampaign(draft, by: "anna"))
    for index in state[campaign: id].runs.indices { learn(RunRef(campaign: id, index: index)) }
    return id
  }

  /// Gives a campaign another policy.
  package mutating func edit(
    _ campaign: CampaignID = CampaignID(0), to policy: Policy, endsAt: Instant? = nil
  ) {
    checker.asked(for: policy, in: campaign)
    let edit = CampaignEdit(
      policy: policy, endsAt: endsAt, changes: "other settings", reason: "slower")
    step(.editCampaign(campaign, edit, by: "anna"))
  }

  /// The same, unless that is refused.
  package mutating func edit(ifAllowed campaign: CampaignID, to policy: Policy) {
    let edit = CampaignEdit(policy: policy, changes: "other settings")
    var copy = state
    guard (try? copy.step(.editCampaign(campaign, edit, by: "anna"), now: now)) != nil else {
      return
    }
    self.edit(campaign, to: policy)
  }

  /// Creates a rollback campaign, unless that is refused.
  package mutating func draft(
    ifAllowed name: String, policy: Policy, rollbackOf original: CampaignID
  ) {
    let draft = CampaignDraft(
      name: CampaignName(trusted: name), policy: policy, rollbackOf: original)
    var copy = state
    guard (try? copy.step(.createCampaign(draft, by: "anna"), now: now)) != nil else { return }
    self.draft(name, policy: policy, rollbackOf: original)
  }

  package mutating func stop(_ client: String? = nil, reason: String = "smoke in the server room") {
    step(.stop(client.map { self.client($0) }, reason: reason, by: "anna"))
  }

  package mutating func release(_ client: String? = nil, reason: String = "false alarm") {
    step(.releaseStop(client.map { self.client($0) }, reason: reason, by: "anna"))
  }

  package mutating func resume(
    _ campaign: CampaignID = CampaignID(0), _ scope: PauseScope = .all, now atOnce: Bool = false
  ) {
    step(.resumeCampaign(campaign, scope, now: atOnce, by: "anna"))
  }

  package mutating func resolve(
    _ server: String, _ decision: Decision, in campaign: CampaignID = CampaignID(0)
  ) {
    let ref = run(server, in: campaign)
    step(
      .resolveRun(
        ref, decision, version: state[ref].version, reason: "looked at it", by: "bruno"))
  }

  /// The daemon dies between two commits and starts again: sessions and hooks are gone, and the
  /// state is what the store holds.
  package mutating func crash() {
    trace.event("the daemon dies and starts again", at: now)
    for index in agents.indices { agents[index].isConnected = false }
    checker.restarted()
    for outgoing in store.outbox { store.markSent(outgoing.command.fence, false) }
    hooks = [:]
    plan.removeAll {
      switch $0.happening {
      case .reaches, .says, .hookEnds: true
      case .changes, .finishes, .disconnects, .connects: false
      }
    }
    state = ControlState(stored: store.stored(fence: state.fence), floors: state.floors)
    perform(state.wake(now: now))
    check(after: .timePassed)
    handOver()
  }
}

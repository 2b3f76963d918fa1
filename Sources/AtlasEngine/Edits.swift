import AtlasModel

/// What people change about the policy of a campaign that is there already.
package struct CampaignEdit: Hashable, Sendable {
  /// The whole policy from now on.
  package var policy: Policy
  /// The whole policy of each client that has its own from now on.
  package var overrides: [ClientPolicy]
  /// Nil leaves the end where it is.
  package var endsAt: Instant?
  /// The ``Campaign/version`` that the person saw; nil when that does not matter.
  package var ifVersion: UInt32?
  /// What is different, in words, for the log: `max_in_progress: 50 → 20`.
  package var changes: String
  package var reason: String
  /// As ``CampaignDraft/ownWindows``, of the new policy.
  package var ownWindows: [ZoneWindows]

  package init(
    policy: Policy, overrides: [ClientPolicy] = [], endsAt: Instant? = nil,
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

/// A policy of before: runs that took their slots under it go by it to their end.
package struct EarlierPolicy: Sendable {
  /// When it was edited.
  package let until: Instant
  package let policy: Policy
  /// Sorted by client.
  package let overrides: [ClientPolicy]
  private let rules: [Rules]

  package init(until: Instant, policy: Policy, overrides: [ClientPolicy]) {
    self.until = until
    self.policy = policy
    self.overrides = overrides
    rules = [Rules(policy)] + overrides.map { Rules($0.policy, in: policy) }
  }

  func rules(for client: ClientID) -> Rules {
    rules[overrides.position(of: client).map { $0 + 1 } ?? 0]
  }

  func policy(for client: ClientID) -> Policy {
    overrides.position(of: client).map { overrides[$0].policy } ?? policy
  }
}

extension [ClientPolicy] {
  /// Where the client's own policy is among these, which are sorted by client; nil when it has none.
  func position(of client: ClientID) -> Int? {
    guard !isEmpty else { return nil }
    let place = firstPosition { $0.client >= client }
    return place < count && self[place].client == client ? place : nil
  }
}

/// Edits of a policy. What has not started goes by the new one at once: admission, gates, caps,
/// breakers, windows. A run that has its slot goes to the end of it by the policy that it started
/// under, so that nothing changes under a server that is being worked on.
extension ControlState {
  /// The policy of before that a run goes by; nil for the one of now.
  func earlierPolicy(of ref: RunRef) -> EarlierPolicy? {
    let run = self[ref]
    let campaign = Int(ref.campaign.index)
    guard run.state.kind != .pending, Int(run.edition) < campaigns[campaign].earlier.count,
      !Plant.editReachesTheStarted.isOn
    else { return nil }
    return campaigns[campaign].earlier[Int(run.edition)]
  }

  /// The policy that a run goes by.
  func policy(of ref: RunRef) -> Policy {
    let client = clientOf(ref)
    return earlierPolicy(of: ref)?.policy(for: client)
      ?? campaigns[Int(ref.campaign.index)].policy(for: client)
  }

  mutating func edit(
    _ id: CampaignID, _ edit: CampaignEdit, by: String, now: Instant
  ) throws(Refusal) {
    let overrides = edit.overrides.sorted { $0.client < $1.client }
    try checkEditable(id, edit, overrides, now: now)
    let hadOwnWindows = campaigns[id].hasOwnWindows
    let isOther =
      edit.policy != campaigns[id].policy || overrides != campaigns[id].overrides
    guard isOther || edit.endsAt.map({ $0 != campaigns[id].endsAt }) ?? false else { return }
    let before = campaigns[Int(id.index)]
    let couldWork = misfit(of: id, now: now) == nil
    if isOther, campaigns[id].state == .active {
      let campaign = campaigns[Int(id.index)]
      campaigns[id].earlier.append(
        EarlierPolicy(until: now, policy: campaign.policy, overrides: campaign.overrides))
    }
    campaigns[id].replacePolicy(edit.policy, overrides)
    if let end = edit.endsAt { campaigns[id].endsAt = end }
    do throws(Refusal) {
      try checkUse(of: id, edit, before: before.policy, couldWork: couldWork, now: now)
    } catch {
      campaigns[id] = before
      throw error
    }
    campaigns[id].version += 1
    record(
      Record(
        .campaignEdited, campaign: id, detail: edit.changes.bounded(),
        reason: edit.reason.bounded(), principal: by))
    if campaigns[id].earlier.count > before.earlier.count {
      emit(.save(.earlierPolicy(id, before.earlier.count)))
    }
    emit(.save(.campaign(id)))
    // A replay has no calendar, and knows the windows already.
    if hadOwnWindows || campaigns[id].hasOwnWindows, !isVirtual { askForWindows(id) }
    if campaigns[id].state == .active { reconsider(id, now: now) }
  }

  /// Refuses a policy under which nothing that has not started could start any more. What could not
  /// before stays as it was: nobody is kept from changing something else.
  private func checkUse(
    of id: CampaignID, _ edit: CampaignEdit, before: Policy, couldWork: Bool, now: Instant
  ) throws(Refusal) {
    guard !isVirtual else { return }
    let end = campaigns[Int(id.index)].endsAt ?? now + Self.defaultReach
    if before.gates != edit.policy.gates { try checkSoaks(of: id, end: end, now: now) }
    let hasOtherWindows = before.windows != edit.policy.windows
    if hasOtherWindows, let refusal = neverMeets(id, edit.ownWindows, end: end, now: now) {
      throw refusal
    }
    // Other windows of its own are to be worked out first.
    guard couldWork, !hasOtherWindows || !edit.ownWindows.isEmpty else { return }
    if let misfit = misfit(of: id, end: end, now: now, own: edit.ownWindows) { throw misfit }
  }

  /// Why nothing that has not started fits into a window; nil when something does.
  private func misfit(of id: CampaignID, now: Instant) -> Refusal? {
    guard !isVirtual else { return nil }
    let end = campaigns[Int(id.index)].endsAt ?? now + Self.defaultReach
    return misfit(of: id, end: end, now: now)
  }

  private func checkEditable(
    _ id: CampaignID, _ edit: CampaignEdit, _ overrides: [ClientPolicy], now: Instant
  ) throws(Refusal) {
    let state = campaigns[Int(id.index)].state
    guard state == .draft || state == .active else {
      throw .notAllowed(
        code: .campaignState, message: "cannot edit a campaign that is \(state.word)",
        hint: "nothing more starts in it")
    }
    if let version = edit.ifVersion, version != campaigns[Int(id.index)].version {
      throw .changed(
        message: "the campaign was changed by another in the meantime",
        hint: "look at what would change again, then edit it")
    }
    if !isVirtual { try checkEnd(edit.endsAt, now: now) }
    guard campaigns[Int(id.index)].earlier.count < Limits.policyEdits else {
      throw .limit("a campaign is edited at most \(Limits.policyEdits) times")
    }
    if campaigns[Int(id.index)].rollbackOf != nil { try checkSameMeans(id, edit, overrides) }
  }

  /// Which servers a rollback campaign can undo was decided by its means when it was made.
  private func checkSameMeans(
    _ id: CampaignID, _ edit: CampaignEdit, _ overrides: [ClientPolicy]
  ) throws(Refusal) {
    let campaign = campaigns[Int(id.index)]
    for lane in campaign.lanes {
      let old = campaign.policy(for: lane.client)
      let new = overrides.position(of: lane.client).map { overrides[$0].policy } ?? edit.policy
      guard old.rollback != new.rollback || old.roleRollback != new.roleRollback else { continue }
      throw .invalid(
        field: "rollback",
        message: "a rollback campaign goes back as it was made to; make another one instead")
    }
  }

  /// When its clients may be worked on is another question from now on; nothing starts until that
  /// is answered, and what has started goes by what was known.
  private mutating func askForWindows(_ id: CampaignID) {
    for index in campaigns[id].lanes.indices {
      let client = campaigns[id].lanes[index].client
      let known = campaigns[id].lanes[index].narrowed ?? clients[client].windows
      campaigns[id].lanes[index].narrowed = campaigns[id].hasOwnWindows ? known : nil
      clients[client].windowsAreOld = true
      askForWindows(of: client)
    }
  }

  /// Looks at everything that the policy decides about what has not started.
  private mutating func reconsider(_ id: CampaignID, now: Instant) {
    if let end = campaigns[id].endsAt { timers.add(.end(id), at: end) }
    limitResources()
    campaigns[id].recountOutcomes()
    judgeAllBreakers(id, now: now)
    campaigns[id].forgetCapped()
    markCapped(id)
    armStarts(id, now: now)
    for ring in campaigns[id].rings {
      if let since = ring.soakingSince {
        let soak = campaigns[id].gateRules[Int(ring.ring.number)].gateSoak
        timers.add(.gate(id, ring.ring), at: since + soak)
      }
      markGate(id, ring.ring)
    }
    wakeLanes(of: id)
  }
}

extension Campaign {
  /// Puts the policies before in, of a campaign that is read back.
  package mutating func restore(earlier: [EarlierPolicy]) { self.earlier = earlier }

  /// The breakers of another policy look at another part of what was.
  fileprivate mutating func recountOutcomes() {
    sample = []
    for lane in lanes.indices { lanes[lane].troubled = [] }
    for index in runs.indices { loadOutcome(Int32(index)) }
  }

  /// Lanes that waited for a cap come again, when there is one.
  fileprivate mutating func forgetCapped() {
    capped = LaneQueue()
    for lane in lanes.indices { lanes[lane].isCapped = false }
  }
}

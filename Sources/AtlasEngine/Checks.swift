import AtlasModel

/// What hooks are asked before a run takes its slot, and what they said.
package enum AdmissionCheck: Hashable, Sendable {
  /// The function runs. Its lane starts nothing else meanwhile, and the slot is kept free for it.
  case asking(HookPoint)
  /// `order_group` agrees that it is this server's turn.
  case ordered(Instant)
  /// All that had to agree have.
  case passed(Instant)

  /// The function that runs now; nil for none.
  package var point: HookPoint? {
    if case .asking(let point) = self { point } else { nil }
  }
}

/// `order_group` says which member of a group is next, and `peer_check` whether the others of it
/// are well. Both are asked at admission, while the run is PENDING: a refusal costs no slot. What
/// they say counts for ``Limits/checkValidity``: “now” is what they were asked about.
extension ControlState {
  /// Starts a run whose turn it is, or asks first what has to be asked.
  mutating func admit(_ ref: RunRef, now: Instant) {
    guard let point = nextCheck(ref, now: now) else { return start(ref, now: now) }
    ask(point, ref, now: now)
  }

  private func nextCheck(_ ref: RunRef, now: Instant) -> HookPoint? {
    guard !isVirtual else { return nil }
    let group = servers[Int(self[ref].server.index)].config.antiAffinity
    let asksPeers = group != nil || isPeerChecked(ref)
    guard asksPeers else { return nil }
    switch self[ref].details.content.check {
    case .passed(let at)? where now < at + Limits.checkValidity: return nil
    case .ordered(let at)? where now < at + Limits.checkValidity: return .peerCheck
    case nil, .passed?, .ordered?, .asking?:
      return hasOthers(ref, of: group) ? .orderGroup : .peerCheck
    }
  }

  private func isPeerChecked(_ ref: RunRef) -> Bool {
    let roles = rules(of: ref).peerCheck
    return !roles.isEmpty
      && servers[Int(self[ref].server.index)].config.roles.contains { roles.contains($0) }
  }

  /// Whether another member of the group waits in the same lane.
  private func hasOthers(_ ref: RunRef, of group: GroupName?) -> Bool {
    guard let group else { return false }
    let campaign = Int(ref.campaign.index)
    return campaigns[campaign].lanes[Int(self[ref].lane)].queue.contains {
      let server = Int(campaigns[campaign][run: $0].server.index)
      return $0 != ref.index && servers[server].config.antiAffinity == group
    }
  }

  private mutating func ask(
    _ point: HookPoint, _ ref: RunRef, restarted: Bool = false, now: Instant
  ) {
    self[ref].details.content.check = .asking(point)
    if campaigns[ref.campaign].lanes[Int(self[ref].lane)].checking == nil {
      campaigns[ref.campaign].lanes[Int(self[ref].lane)].checking = ref.index
      clients[clientOf(ref)].reserved += 1
    }
    startHook(ref, point, restarted: restarted, now: now)
  }

  /// The daemon died while the function ran: it is asked again.
  mutating func askAgain(_ ref: RunRef, now: Instant) -> Bool {
    guard let point = self[ref].details.content.check?.point else { return false }
    ask(point, ref, restarted: true, now: now)
    return true
  }

  /// The lane may go on, whatever comes of the question.
  private mutating func endAsking(_ ref: RunRef) {
    guard self[ref].details.content.check?.point != nil else { return }
    self[ref].details.content.check = nil
    self[ref].deadline = nil
    campaigns[ref.campaign].lanes[Int(self[ref].lane)].checking = nil
    let client = clientOf(ref)
    clients[client].reserved -= 1
    markDirty(client)
  }

  /// The run leaves PENDING, or a stop forbids all starts: nobody wants to know any more.
  mutating func endCheck(_ ref: RunRef) {
    guard let check = self[ref].details.content.check else { return }
    if check.point != nil {
      emit(.cancelHook(ref, serial: self[ref].hookSerial))
      endAsking(ref)
    }
    self[ref].details.content.check = nil
  }

  mutating func stopCheck(_ lane: LaneRef) {
    guard let index = campaigns[lane.campaign].lanes[Int(lane.lane)].checking else { return }
    let ref = RunRef(campaign: lane.campaign, index: Int(index))
    endCheck(ref)
    emit(.save(.run(ref)))
  }

  /// A function that was asked at admission has answered.
  mutating func checkAnswered(
    _ ref: RunRef, _ point: HookPoint, _ verdict: HookVerdict, now: Instant
  ) {
    endAsking(ref)
    if Plant.peerCheckIgnored.isOn { return agreed(ref, point, now: now) }
    switch verdict {
    case .ok, .notDefined: agreed(ref, point, now: now)
    case .next(let name) where point == .orderGroup: named(name, insteadOf: ref, now: now)
    case .next: putOff(ref, point, nil, "it names a server, which only order_group may", now: now)
    case .deferred(let after, let reason): putOff(ref, point, after, reason, now: now)
    case .skip(let message), .fail(let message, _), .error(let message), .timeout(let message):
      putOff(ref, point, nil, message, now: now)
    case .cancelled: putOff(ref, point, nil, "the hook was cancelled", now: now)
    case .left(_, let verdict): checkAnswered(ref, point, verdict, now: now)
    }
  }

  private mutating func agreed(_ ref: RunRef, _ point: HookPoint, now: Instant) {
    self[ref].details.content.check = point == .orderGroup ? .ordered(now) : .passed(now)
    emit(.save(.run(ref)))
  }

  /// `order_group` names the next member of the group: it takes the place of the one that was asked
  /// about.
  private mutating func named(_ name: ServerName, insteadOf ref: RunRef, now: Instant) {
    guard let other = pendingRun(name, besides: ref) else {
      return putOff(
        ref, .orderGroup, nil, "it names \(name), which waits in no lane with this server",
        now: now)
    }
    if other == ref { return agreed(ref, .orderGroup, now: now) }
    if let waiting = runWaits(other, now: now) {
      return putOff(
        ref, .orderGroup, nil, "it names \(name), which waits for \(waiting.text)", now: now)
    }
    let order = self[ref].order
    self[ref].order = self[other].order
    self[other].order = order
    let lane = Int(self[ref].lane)
    for run in [ref, other] {
      campaigns[ref.campaign].lanes[lane].dequeue(run.index)
      emit(.save(.run(run)))
    }
    enqueue(other)
    enqueue(ref)
    self[other].details.content.check = .ordered(now)
  }

  /// The pending run of a member of the group in the same lane.
  private func pendingRun(_ name: ServerName, besides ref: RunRef) -> RunRef? {
    guard let id = serverByName[name], let run = servers[Int(id.index)].openRun,
      run.campaign == ref.campaign, self[run].lane == self[ref].lane,
      case .pending = self[run].state,
      servers[Int(id.index)].config.antiAffinity
        == servers[Int(self[ref].server.index)].config.antiAffinity
    else { return nil }
    return run
  }

  /// Not now. Nothing is held; the run waits, twice as long each time unless the hook says how
  /// long, within the policy's limit on all its deferrals. What its peers made wait goes to the end
  /// of its lane; who is next in a group is asked again in its place.
  private mutating func putOff(
    _ ref: RunRef, _ point: HookPoint, _ after: Duration?, _ reason: String, now: Instant
  ) {
    let text = "\(point.rawValue): \(reason)".bounded()
    let before = self[ref].details.content.deferred
    let wait = max(after ?? min(max(before, .seconds(60)), .seconds(3_600)), .seconds(1))
    let limit = rules(of: ref).deferLimit
    self[ref].details.content.lastError = text
    if before + wait > limit {
      let message = "deferred for more than \(limit.text): \(text)".bounded()
      self[ref].details.content.lastError = message
      return endUnchanged(ref, as: .notAttempted(.hook), .runNotAttempted, message, now: now)
    }
    self[ref].details.content.deferred = before + wait
    if point == .peerCheck { requeueBehindAll(ref) }
    move(ref, to: .pending(notBefore: now + wait), .runDeferred, now: now, reason: text)
  }
}

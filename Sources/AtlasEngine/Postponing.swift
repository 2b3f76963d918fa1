import AtlasModel

/// A client that people have put off: nothing new is started, in any campaign, until then.
package struct Postponement: Hashable, Sendable {
  /// Ends by itself at ``Latch/until``, which it always has.
  package var latch: Latch

  package init(latch: Latch) { self.latch = latch }

  package var until: Instant { latch.until ?? .distantFuture }
}

/// A server of a client that is in progress, and when it should be done.
package struct InFlight: Hashable, Sendable {
  package var run: RunRef
  package var server: ServerID
  /// Nil for one that is held.
  package var phase: Phase?
  /// Slot taken plus its estimate, or now when that is over; nil for one that waits for a person.
  package var ends: Instant?

  package init(run: RunRef, server: ServerID, phase: Phase?, ends: Instant?) {
    self.run = run
    self.server = server
    self.phase = phase
    self.ends = ends
  }
}

extension ControlState {
  mutating func postpone(
    _ id: ClientID, until: Instant?, reason: String, by: String, now: Instant
  ) throws(Refusal) {
    let end = try postponedUntil(id, until, now: now)
    let latch = Latch(reason: reason.bounded(), principal: by, since: now, until: end)
    setPostponed(id, Postponement(latch: latch))
    timers.add(.postponed(id), at: end)
    let detail = until == nil ? "until its next window" : "for \((end - now).text)"
    record(
      Record(
        .clientPostponed, client: id, detail: detail, reason: reason.bounded(), principal: by))
  }

  /// - Parameter until: Nil: the next window that is not open yet.
  private func postponedUntil(
    _ id: ClientID, _ until: Instant?, now: Instant
  ) throws(Refusal) -> Instant {
    guard let until else {
      guard let next = clients[Int(id.index)].windows.next(after: now) else {
        throw .notAllowed(
          code: .noWindow, message: "the client has no other window in the next weeks",
          hint: "say until when it is postponed")
      }
      return next.start
    }
    guard until > now else {
      throw .past(field: "until", until, now: now)
    }
    return until
  }

  /// Ends a postponement.
  /// - Parameter principal: Empty when its time is over.
  mutating func endPostponement(_ id: ClientID, by principal: String) {
    guard clients[id].postponed != nil else { return }
    setPostponed(id, nil)
    let reason = principal.isEmpty ? "the time it was postponed for is over" : ""
    record(
      Record(
        .clientResumed, client: id, detail: "postponed", reason: reason, principal: principal))
    markDirty(id)
  }

  mutating func postponedFires(_ id: ClientID, armedFor at: Instant) {
    if clients[id].postponed?.until == at { endPostponement(id, by: "") }
  }

  /// While it is postponed, the open runs of a client are outside the gates.
  private mutating func setPostponed(_ id: ClientID, _ postponed: Postponement?) {
    let changes = (clients[id].postponed == nil) != (postponed == nil)
    clients[id].postponed = postponed
    clients[id].version += 1
    emit(.save(.client(id)))
    guard changes else { return }
    for lane in clients[id].lanes {
      let ring = campaigns[lane.campaign].lanes[Int(lane.lane)].ring
      let open = campaigns[lane.campaign].openCounts(of: Int(lane.lane))
      let index = Int(ring.number)
      if postponed == nil {
        campaigns[lane.campaign].rings[index].outside.remove(open)
      } else {
        campaigns[lane.campaign].rings[index].outside.add(open)
      }
      markGate(lane.campaign, ring)
    }
  }

  /// What a client has in progress, in all campaigns, in the order in which its campaigns started.
  package func inFlight(of client: ClientID, now: Instant) -> [InFlight] {
    clients[Int(client.index)].lanes.flatMap { lane in
      campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].active.map {
        inFlight(RunRef(campaign: lane.campaign, index: Int($0)), now: now)
      }
    }
  }

  private func inFlight(_ ref: RunRef, now: Instant) -> InFlight {
    let run = self[ref]
    var ends: Instant?
    if run.state.kind == .inProgress {
      let since = run.details.content.slotIntervals.last?.start ?? now
      ends = max(now, since + estimate(of: ref))
    }
    return InFlight(run: ref, server: run.server, phase: run.state.phase, ends: ends)
  }

  /// When a run that is left for later can be done: after the postponement of its client, or in the
  /// first window after the campaign.
  func laterDate(_ ref: RunRef, now: Instant) -> Instant? {
    let client = Int(clientOf(ref).index)
    return clients[client].postponed?.until ?? clients[client].windows.next(after: now)?.start
  }
}

extension Campaign {
  /// The runs of a lane that are not over, counted.
  func openCounts(of lane: Int) -> Counts {
    var counts = Counts()
    for run in lanes[lane].queue + lanes[lane].active {
      counts[self[run: run].state.kind] += 1
    }
    return counts
  }
}

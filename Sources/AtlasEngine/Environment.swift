import AtlasModel

/// Contact that was lost to many servers at once: not they are at fault, but something between.
///
/// While it lasts nothing new is started, nobody is taken for lost, and time limits stand still. It
/// ends by itself when those that were lost are back, at the latest after ``Limits/contactHold``.
package struct ContactHold: Hashable, Sendable {
  package var since: Instant
  /// Sessions that there were before: after a restart nobody knows which of them had ended, so that
  /// nine of ten of all have to come back.
  package var sessions: Int
  /// Sessions that ended for it so far.
  package var dropped: Int
  /// Those of them that are not back.
  package var missing: Int

  package init(since: Instant, sessions: Int, dropped: Int = 0, missing: Int = 0) {
    self.since = since
    self.sessions = sessions
    self.dropped = dropped
    self.missing = missing
  }

  /// As it goes on after a restart, when every session is gone.
  var restarted: ContactHold {
    ContactHold(since: since, sessions: sessions, dropped: sessions, missing: sessions)
  }

  /// Nine of ten are back: the rest are single servers again.
  var isOver: Bool { missing * 10 <= dropped }
}

/// Ends of sessions within the last minutes that nobody expected, oldest first.
struct DropWindow: Sendable {
  struct Drop: Hashable, Sendable {
    let at: Instant
    let server: ServerID
  }

  var drops: [Drop] = []
  /// Those of ``drops`` before this are over.
  var first = 0
  /// Servers among them that are still away.
  var count = 0
}

extension ControlState {
  /// A session has ended. Servers that Atlas itself reboots or reverts are expected to be away, and
  /// so are the guests of such a host.
  mutating func noteDrop(_ server: ServerID, now: Instant) {
    let client = servers[server].client
    connectedCount -= 1
    clients[client].connected -= 1
    guard !servers[server].retired, !isExpectedAway(server) else { return }
    forgetDrops(until: now - contactWindow)
    servers[server].droppedAt = now
    drops.drops.append(DropWindow.Drop(at: now, server: server))
    drops.count += 1
    clients[client].recentDrops += 1
    if contact != nil { miss(server, globally: true) }
    if clients[client].dark != nil { miss(server, globally: false) }
    judgeContact(client, now: now)
  }

  /// A session has begun.
  mutating func noteReturn(_ server: ServerID) {
    connectedCount += 1
    clients[servers[server].client].connected += 1
    if servers[server].droppedAt != nil { forgetDrop(server) }
  }

  private func isExpectedAway(_ server: ServerID) -> Bool {
    isBooting(server) || host(of: server).map(isBooting) ?? false
  }

  private func isBooting(_ server: ServerID) -> Bool {
    guard let ref = servers[Int(server.index)].openRun, let phase = self[ref].state.phase else {
      return false
    }
    return phase == .reboot || phase == .rollback
  }

  private mutating func forgetDrop(_ server: ServerID) {
    servers[server].droppedAt = nil
    drops.count -= 1
    clients[servers[server].client].recentDrops -= 1
  }

  private mutating func forgetDrops(until end: Instant) {
    while drops.first < drops.drops.count,
      drops.drops[drops.first].at < end || drops.drops.count - drops.first > Limits.recentDrops
    {
      let drop = drops.drops[drops.first]
      drops.first += 1
      if servers[drop.server].droppedAt == drop.at { forgetDrop(drop.server) }
    }
    guard drops.first > drops.drops.count / 2 else { return }
    drops.drops.removeFirst(drops.first)
    drops.first = 0
  }

  /// Two minutes; in a rehearsal, where time races and connections do not, as long as a silence
  /// must last to be a loss.
  private var contactWindow: Duration { max(Limits.contactWindow, floors.silence) }

  private mutating func judgeContact(_ client: ClientID, now: Instant) {
    guard contact == nil else { return }
    if drops.count >= Limits.contactDrops, drops.count * 10 > connectedCount + drops.count {
      return beginContactHold(nil, now: now)
    }
    guard clients[client].dark == nil, isDark(client) else { return }
    // If more than this client is hit, that is one notice and not one for each.
    timers.add(.dark(client), at: now + contactWindow / 4)
  }

  private func isDark(_ client: ClientID) -> Bool {
    let index = Int(client.index)
    return clients[index].connected == 0 && clients[index].recentDrops >= Limits.clientDrops
  }

  mutating func darkFires(_ client: ClientID, now: Instant) {
    guard contact == nil, clients[client].dark == nil, isDark(client) else { return }
    beginContactHold(client, now: now)
  }

  /// - Parameter client: Nil for the whole fleet.
  private mutating func beginContactHold(_ client: ClientID?, now: Instant) {
    let sessions =
      client.map { clients[$0].connected + clients[$0].recentDrops } ?? connectedCount + drops.count
    let hold = ContactHold(since: now, sessions: sessions)
    if let client { clients[client].dark = hold } else { contact = hold }
    for drop in drops.drops[drops.first...] where servers[drop.server].droppedAt == drop.at {
      guard client == nil || servers[drop.server].client == client else { continue }
      miss(drop.server, globally: client == nil)
    }
    timers.add(.contact(client), at: contactEnd(hold))
    let dropped = (client.map { clients[$0].dark } ?? contact)?.dropped ?? 0
    let within = contactWindow.text
    if let client {
      let reason = "no server of the client is in contact any more: \(dropped) within \(within)"
      record(Record(.clientDark, client: client, reason: reason))
      emit(.save(.client(client)))
    } else {
      let reason =
        "contact was lost to \(dropped) of \(connectedCount + dropped) servers within \(within)"
      record(Record(.environmentHeld, detail: Self.contactDetail, reason: reason))
      emit(.save(.control))
    }
  }

  private mutating func miss(_ server: ServerID, globally: Bool) {
    let client = servers[server].client
    if globally, !servers[server].isMissing {
      servers[server].isMissing = true
      contact?.dropped += 1
      contact?.missing += 1
    } else if !globally, !servers[server].isMissingAtClient {
      servers[server].isMissingAtClient = true
      clients[client].dark?.dropped += 1
      clients[client].dark?.missing += 1
    }
  }

  /// Looks whether a hold is over, now that a server is back and what it says is known.
  mutating func returned(_ server: ServerID, now: Instant) {
    let client = servers[server].client
    if servers[server].isMissing {
      servers[server].isMissing = false
      contact?.missing -= 1
      if contact?.isOver ?? false { endContactHold(nil, now: now) }
    }
    if servers[server].isMissingAtClient {
      servers[server].isMissingAtClient = false
      clients[client].dark?.missing -= 1
      if clients[client].dark?.isOver ?? false { endContactHold(client, now: now) }
    }
  }

  /// It has lasted as long as it may: who is away now is lost, one by one, as always.
  mutating func contactFires(_ client: ClientID?, armedFor at: Instant, now: Instant) {
    guard let hold = client.map({ clients[$0].dark }) ?? contact, contactEnd(hold) == at else {
      return
    }
    endContactHold(client, now: now)
  }

  private func contactEnd(_ hold: ContactHold) -> Instant {
    hold.since + max(Limits.contactHold, floors.silence)
  }

  private mutating func endContactHold(_ client: ClientID?, now: Instant) {
    guard let hold = client.map({ clients[$0].dark }) ?? contact else { return }
    let reason =
      hold.isOver
      ? "\(hold.dropped - hold.missing) of \(hold.dropped) servers are back"
      : "it has lasted for \((now - hold.since).text): \(hold.missing) servers are still away"
    if let client {
      clients[client].dark = nil
      for server in clients[client].servers { servers[server].isMissingAtClient = false }
      record(Record(.clientBack, client: client, reason: reason))
      emit(.save(.client(client)))
      thaw(client, since: hold.since, now: now)
    } else {
      contact = nil
      for index in servers.indices { servers[index].isMissing = false }
      record(Record(.environmentResumed, detail: Self.contactDetail, reason: reason))
      emit(.save(.control))
      for index in clients.indices { thaw(ClientID(index), since: hold.since, now: now) }
    }
  }

  /// Time limits go on where they stood, and who is still away has the lock timeout once more.
  private mutating func thaw(_ client: ClientID, since: Instant, now: Instant) {
    guard !isFrozen(client) else { return }
    for lane in clients[client].lanes {
      for index in campaigns[lane.campaign].lanes[Int(lane.lane)].active {
        thaw(RunRef(campaign: lane.campaign, index: Int(index)), by: now - since, now: now)
      }
    }
    markDirty(client)
  }

  private mutating func thaw(_ ref: RunRef, by frozen: Duration, now: Instant) {
    guard case .inProgress(let work) = self[ref].state else { return }
    if let deadline = self[ref].deadline {
      arm(ref, at: work.step.isWait ? max(deadline, now) : deadline + frozen)
    }
    if self[ref].quietDeadline != nil { armQuiet(ref, now: now) }
    if !servers[self[ref].server].connected { armSilence(ref, now: now) }
    emit(.save(.run(ref)))
  }

  /// Whether the time limits of a client's runs stand still.
  func isFrozen(_ client: ClientID) -> Bool {
    isContactLost || clients[Int(client.index)].isDark
  }

  /// Watches over the holds of a state that was loaded.
  mutating func wakeContact() {
    if let hold = contact { timers.add(.contact(nil), at: contactEnd(hold)) }
    for index in clients.indices {
      guard let hold = clients[index].dark else { continue }
      timers.add(.contact(ClientID(index)), at: contactEnd(hold))
    }
    for index in servers.indices {
      servers[index].isMissing = isContactLost
      servers[index].isMissingAtClient = clients[servers[index].client].isDark
    }
  }

  static var contactDetail: String { "contact" }
  static var sourceDetail: String { "source" }
}

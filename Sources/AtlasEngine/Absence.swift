import AtlasModel

/// For evidence: servers that were away although nobody here had ordered it.
extension ControlState {
  /// Since when a server has been away, longer than it may be before it counts as unexplained, and
  /// not by Atlas's order; nil when it is not. A dismissed one is away as well.
  ///
  /// One that was there to the end of a daemon may have gone at any time after that daemon wrote
  /// its database for the last time: it counts from then, once it has been awaited in vain for as
  /// long as any other. Until then it may well be the daemon alone that was away.
  package func absence(of id: ServerID, now: Instant) -> Instant? {
    let server = Int(id.index)
    guard !servers[server].connected, servers[server].isKnown, !servers[server].retired,
      let silentSince = servers[server].silentSince
    else { return nil }
    let since = max(silentSince, servers[server].countedSince ?? silentSince)
    let awaited = max(since, servers[server].awaitedSince ?? since)
    let silence = silence(of: servers[server].client, in: servers[server].openRun?.campaign)
    guard awaited + silence < now, !isOrdered(absenceOf: id, since: since) else { return nil }
    return since
  }

  /// Whether its own run, or that of its host, holds a slot for all of the time: the records of that
  /// run tell.
  private func isOrdered(absenceOf id: ServerID, since: Instant) -> Bool {
    // No silent server starts, so that the slot is older than the silence.
    if holdsSlot(id) { return true }
    guard let host = host(of: id), !servers[Int(host.index)].config.migratesGuests,
      let ref = servers[Int(host.index)].openRun, self[ref].state.kind.holdsSlot
    else { return false }
    return self[ref].details.content.slotIntervals.last.map { $0.start <= since } ?? false
  }

  /// Its agent says Hello: how long it was away is in the log from then on.
  mutating func recordAbsence(of id: ServerID, now: Instant) {
    guard let since = absence(of: id, now: now) else { return }
    let many = servers[id].isMissing || servers[id].isMissingAtClient
    record(
      Record(
        .serverBack, client: servers[id].client, server: id, detail: "\(since.milliseconds)",
        reason: "\(words(about: id, since))\(many ? ", as many others had" : "")"))
  }

  /// Its agent is not back, and will not be told of here any more: how long it was away until now
  /// is in the log as well.
  mutating func endAbsence(of id: ServerID, _ why: String, now: Instant) {
    guard let since = absence(of: id, now: now) else { return }
    record(
      Record(
        .serverAway, client: servers[id].client, server: id, detail: "\(since.milliseconds)",
        reason: "\(words(about: id, since)); \(why)"))
  }

  private func words(about id: ServerID, _ since: Instant) -> String {
    // What was before is told of already, or was no absence.
    guard servers[id].silentSince == since else {
      return "it had been silent since \(since.words), and before"
    }
    guard let awaited = servers[id].awaitedSince else {
      return "it had been silent since \(since.words)"
    }
    return awaited == since
      ? "it had said nothing since the start of the daemon at \(since.words)"
      : "it was there at \(since.words), and had said nothing since the start of the daemon at "
        + awaited.words
  }

  /// A silent server begins anew: with another client, or after it was retired.
  mutating func countAbsence(of id: ServerID, from now: Instant) {
    if !servers[id].connected { servers[id].countedSince = now }
  }

  /// The daemon starts: whoever was in contact when the one before ended is silent from the last
  /// moment at which it was known to be there. That is kept, so that another start takes nothing of
  /// it away.
  mutating func assumeSilence(now: Instant) {
    for index in servers.indices where servers[index].isKnown && servers[index].silentSince == nil {
      servers[index].silentSince = min(writtenAt ?? now, now)
      servers[index].awaitedSince = now
      emit(.save(.server(ServerID(index))))
    }
  }
}

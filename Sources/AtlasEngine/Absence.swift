import AtlasModel

/// For evidence: servers that were away although nobody here had ordered it.
extension ControlState {
  /// Since when a server has been away, longer than it may be before it counts as unexplained, and
  /// not by Atlas's order; nil when it is not. A dismissed one is away as well.
  ///
  /// What was before a start of the daemon is known only of servers that were silent then: one that was
  /// in contact may have gone at any time since, and counts from that start.
  package func absence(of id: ServerID, now: Instant) -> Instant? {
    let server = Int(id.index)
    guard !servers[server].connected, servers[server].isKnown, !servers[server].retired,
      let since = servers[server].silentSince ?? wokenAt,
      since + silence(of: servers[server].client, in: servers[server].openRun?.campaign) < now
    else { return nil }
    return isOrdered(absenceOf: id, since: since) ? nil : since
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
    let isKnown = servers[id].silentSince != nil
    let words =
      isKnown ? "it had been silent since" : "it had said nothing since the start of the daemon at"
    let many = servers[id].isMissing || servers[id].isMissingAtClient
    record(
      Record(
        .serverBack, client: servers[id].client, server: id, detail: "\(since.milliseconds)",
        reason: "\(words) \(since.words)\(many ? ", as many others had" : "")"))
  }
}

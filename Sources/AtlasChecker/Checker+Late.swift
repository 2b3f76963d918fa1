/// What servers really begin, by the checker's own calendar (S2): an UPDATE of any pass, and a
/// boot, also when their orders have been on their way for long.
extension Checker {
  /// Remembers whom a person lets boot at once, windows or not: that boot, and no other.
  mutating func noteLeave(_ record: RecordFact, before run: LogModel.RunModel?) {
    guard !record.server.isEmpty, record.kind.hasPrefix("run.") else { return }
    if run?.state == "PARKED", record.phase == "REBOOT", run?.bootsAtOnce ?? false {
      bootsAtOnce.insert(record.server)
    } else if record.phase != run?.phase || record.to != run?.state {
      bootsAtOnce.remove(record.server)
    }
  }

  /// A server begins an order that it decided to begin at an instant by its own clock.
  mutating func judgeLate(_ command: CommandFact, at decided: Int64, of server: String) {
    guard ["UPDATE", "REBOOT"].contains(command.kind), !isAmbiguous(server),
      !forgotten.contains(server)
    else { return }
    let drawn = drawnAt[command.fence] ?? now
    if mayBegin(command, on: server, since: drawn, at: decided)
      || mayBegin(command, on: server, since: drawn, at: now)
    {
      return
    }
    if command.kind == "REBOOT", bootsAtOnce.contains(server) { return }
    let late = (now - drawn) / 1_000
    fail(
      "S2",
      "\(server) begins \(command.kind) (pass \(command.pass)) outside its window, \(late) s after "
        + "it was ordered")
  }

  /// Whether client and campaign agree to it at an instant, and those who have guests on a host: by
  /// what holds now, or did when the order was drawn.
  private func mayBegin(
    _ command: CommandFact, on server: String, since drawn: Int64, at instant: Int64
  ) -> Bool {
    guard let client = servers[server]?.client else { return true }
    let own = ownWindows(of: command.campaign, on: server, since: drawn)
    guard isOpen(client, own, since: drawn, at: instant) else { return false }
    return guestClients(of: server).allSatisfy { guests in
      (guests == client || isOpen(guests, [nil], since: drawn, at: instant))
        && log.wasInOutage(guests, at: instant, since: drawn)
    }
  }

  /// A run is refused because its window is said to be closed, and its server was not changed: then
  /// it is. A daemon that does not know its windows must not take them for closed.
  mutating func judgeTurnedAway(_ record: RecordFact, before run: LogModel.RunModel?) {
    guard record.reason.hasPrefix("the window closed before the update"), let run,
      run.state == "IN_PROGRESS", run.phase != "FINALIZE", !isEdited(record)
    else { return }
    let own = ownWindows(of: record.campaign, on: record.server, since: record.at)
    let isOpen = windows(of: record.client, at: record.at).allSatisfy { version in
      own.allSatisfy { window in
        openUntil(version, window, record.at - slack).map { $0 > record.at + slack } ?? false
      }
    }
    if isOpen { fail("window", "\(record.server) is turned away for its window, which is open") }
  }

  /// New windows of its campaign may not be worked out yet.
  private func isEdited(_ record: RecordFact) -> Bool {
    (earlierOwnWindows[record.campaign] ?? []).contains { record.at <= $0.until }
  }

  /// The very end of a window belongs to it: that is the latest time which an agent is given.
  private func isOpen(
    _ client: String, _ own: [WeeklyWindow?], since drawn: Int64, at instant: Int64
  ) -> Bool {
    windows(of: client, at: drawn).contains { version in
      own.contains { window in
        openUntil(version, window, instant) != nil || openUntil(version, window, instant - 1) != nil
      }
    }
  }
}

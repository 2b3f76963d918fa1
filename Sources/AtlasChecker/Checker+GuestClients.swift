/// Clients whose guests are on another's host (engine.md §4): nothing begins there that takes their
/// servers down without their leave. A client that says no to its own servers says no to those hosts.
extension Checker {
  /// Clients with guests that go down with a host, sorted.
  func guestClients(of host: String) -> [String] {
    guard let fact = servers[host]?.fact, !fact.migratesGuests else { return [] }
    let guests = servers.filter {
      $0.value.fact.host == host && !log.retiredServers.contains($0.key)
    }
    return Set(guests.values.map(\.client)).sorted()
  }

  /// A start, another attempt, a parked run that goes on to UPDATE or REBOOT, or the first boot.
  mutating func judgeGuestClients(_ record: RecordFact, before run: LogModel.RunModel?) {
    let begins =
      ["run.started", "run.retried"].contains(record.kind)
      || run?.state == "PARKED" && ["UPDATE", "REBOOT"].contains(record.phase)
    guard begins || record.phase == "REBOOT" else { return }
    for client in guestClients(of: record.server) {
      let name = "\(record.server) begins \(record.phase) (\(record.kind)), and \(client), whose "
      if client != record.client, log.isStopped(client) {
        fail("S4", name + "guests are on it, is stopped")
      }
      // What is in progress goes on to the end of its attempt.
      guard begins else { continue }
      // How long the outage of a start must last is judged with its order.
      if record.kind != "run.started", log.outage(of: client, at: record.at) == nil {
        fail("order", name + "guests go down with it, is in no declared outage")
      }
      guard client != record.client else { continue }
      if log.pausedClients.contains(client) || log.postponedClients.contains(client) {
        fail("S4", name + "guests are on it, is paused or postponed")
      }
      judgeWindow(of: client, record, name, isAtOnce: run?.bootsAtOnce ?? false)
    }
  }

  private mutating func judgeWindow(
    of client: String, _ record: RecordFact, _ name: String, isAtOnce: Bool
  ) {
    guard record.kind != "run.started", !(isAtOnce && record.phase == "REBOOT"),
      let campaign = campaign(about: record)
    else { return }
    let needed = leastNeeded(record.server, campaign)
    let fits = windows(of: client, at: record.at).contains { version in
      version.openUntil(record.at).map { record.at + needed <= $0 } ?? false
    }
    if !fits { fail("S2", name + "guests are on it, has no window for it") }
  }

  /// A boot is ordered: no client whose guests go down with it is stopped by then.
  mutating func judgeGuestClients(sent command: CommandFact) {
    guard command.kind == "REBOOT", let own = servers[command.server]?.client else { return }
    for client in guestClients(of: command.server) where client != own && log.isStopped(client) {
      fail(
        "S4", "\(command.server) is told to boot, and takes guests of \(client) down, a stop or not"
      )
    }
  }
}

import AtlasCalendar
import AtlasModel

/// What a client's windows and freezes come to from now on: a window that opens no more, or never
/// long enough, is a mistake that nobody would notice before the night.
extension FleetBuilder {
  /// Refuses windows that never open again and that are more than can be worked out, and warns where
  /// freezes or short windows leave too little.
  mutating func checkTimes(of client: ClientConfig, _ draft: ClientDraft, known: ClientConfig?) {
    guard let now, draft.windows != nil || draft.freezes != nil || draft.zone != nil else { return }
    for window in draft.windows?.value ?? [] {
      checkOpenings(of: window, client, known: known, now: now)
    }
    let place = draft.windows?.place ?? draft.place
    do throws(WindowError) {
      let open = try WindowCalendar.intervals(
        client: client, from: now - Limits.windowPast, until: now + Limits.windowHorizon)
      // What the horizon cuts off is longer than it seems.
      let whole = open.filter { $0.end > now && $0.end < now + Limits.windowHorizon }
      warn(about: whole, of: client, at: place)
      try warnOfFreezes(client, draft, now: now)
    } catch {
      refuse(at: place, field: "windows", error.value, client: client.name)
    }
  }

  /// A window that the fleet has already may have come to its end since: that is no reason to refuse
  /// everything else that is said of its client.
  private mutating func checkOpenings(
    of window: Sourced<String>, _ client: ClientConfig, known: ClientConfig?, now: Instant
  ) {
    let wanted = MaintenanceWindow(rule: window.value)
    do throws(WindowError) {
      try WindowCalendar.demandOpenings(of: wanted, zone: client.zone, after: now)
    } catch {
      guard known?.windows.contains(wanted) ?? false else {
        return refuse(at: window.place, field: "windows", error.value, client: client.name)
      }
      warn(
        at: window.place, field: "windows", error.message, hint: error.hint, client: client.name)
    }
  }

  /// What a server needs when nobody says otherwise.
  private static let usualNeed = Policy().times.estimate + Policy().rollbackReserve

  private mutating func warn(about whole: [Interval], of client: ClientConfig, at place: Place) {
    guard let longest = whole.map(\.duration).max(), longest < Self.usualNeed else { return }
    warn(
      at: place, field: "windows",
      "the longest window of \(client.name) lasts \(longest.text), and a server usually needs "
        + Self.usualNeed.text,
      hint: "write a longer one, or lower estimates and rollback_reserve in its campaigns",
      client: client.name)
  }

  /// Somebody may mean it: a client that is to be left alone for a year.
  private mutating func warnOfFreezes(
    _ client: ClientConfig, _ draft: ClientDraft, now: Instant
  ) throws(WindowError) {
    guard !client.freezes.isEmpty else { return }
    var free = client
    free.freezes = []
    let end = now + Limits.windowHorizon
    guard try WindowCalendar.intervals(client: client, from: now, until: end).isEmpty,
      try !WindowCalendar.intervals(client: free, from: now, until: end).isEmpty,
      neverOpens(client, after: now)
    else { return }
    warn(
      at: draft.freezes?.place ?? draft.place, field: "freezes",
      "the freezes of \(client.name) leave nothing of its windows for 400 days",
      hint: "end them earlier, or write windows beside them", client: client.name)
  }

  /// Whether a client is known never to open within 400 days: so many of its windows may be more than
  /// are worked out at once.
  private func neverOpens(_ client: ClientConfig, after now: Instant) -> Bool {
    do throws(WindowError) {
      return try WindowCalendar.firstOpening(of: [client], from: now) == nil
    } catch {
      return false
    }
  }
}

/// A host goes only while its own client's window and those of all its guests' clients are open.
extension FleetBuilder {
  /// Warns of hosts that will never be updated. They are no reason to refuse anything: their clients'
  /// other servers can be, and often neither client can change the other's windows.
  /// - Parameter named: Clients that the files speak of.
  mutating func warnOfHostsBetweenWindows(_ fleet: Fleet, concerning named: Set<ClientName>) {
    let hosts = Set(fleet.servers.compactMap(\.host))
    guard let now, !hosts.isEmpty else { return }
    let owners = Dictionary(
      fleet.servers.filter { hosts.contains($0.name) }.map { ($0.name, $0.client) },
      uniquingKeysWith: { first, _ in first })
    let clients = Dictionary(
      fleet.clients.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var seen: Set<[ClientName]> = []
    for guest in fleet.servers {
      guard let host = guest.host, let owner = owners[host], owner != guest.client,
        named.contains(owner) || named.contains(guest.client),
        seen.insert([owner, guest.client]).inserted,
        let first = clients[owner], let second = clients[guest.client]
      else { continue }
      warn(of: host, first, guest, second, now: now)
    }
  }

  private mutating func warn(
    of host: ServerName, _ owner: ClientConfig, _ guest: ServerConfig, _ other: ClientConfig,
    now: Instant
  ) {
    guard !owner.windows.isEmpty, !other.windows.isEmpty,
      (try? WindowCalendar.meet(owner, other, from: now)) == false
    else { return }
    let draft = serverDrafts(of: guest.client)[guest.name]
    let place =
      draft?.host?.place ?? clientDraft(other.name)?.windows?.place
      ?? clientDraft(owner.name)?.windows?.place ?? Place(file: 0, line: 0)
    warn(
      at: place, field: "host",
      "the windows of \(owner.name) and \(other.name) never meet, so \(host), which carries "
        + "\(guest.name), will never be updated",
      hint: "give both clients a window at the same time", client: guest.client)
  }
}

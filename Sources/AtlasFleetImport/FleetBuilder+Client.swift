import AtlasCalendar
import AtlasModel

extension FleetBuilder {
  /// The client as the fleet will have it; nil when it is neither known nor described.
  mutating func client(_ name: ClientName, ringNames: [RingName]) -> ClientConfig? {
    let known = existingClient(name)
    guard let draft = clientDraft(name) else { return known }
    var client = known ?? ClientConfig(name: name)
    client.zone = zone(of: draft, known: known)
    client.windows = windows(of: draft, zone: client.zone) ?? client.windows
    client.freezes = freezes(of: draft, zone: client.zone) ?? client.freezes
    client.ring = ring(of: draft, ringNames) ?? client.ring
    client.contacts = contacts(of: draft, known: client.contacts) ?? client.contacts
    client.maxParallelServers = draft.maxParallelServers?.value ?? client.maxParallelServers
    client.requireBackup = draft.requireBackup?.value ?? client.requireBackup
    client.createSnapshots = draft.createSnapshots?.value ?? client.createSnapshots
    client.maxBackupAge = draft.maxBackupAge?.value ?? client.maxBackupAge
    client.priority = draft.priority?.value ?? client.priority
    client.requireChangeReference =
      draft.requireChangeReference?.value ?? client.requireChangeReference
    if !isRefused(name) { checkTimes(of: client, draft, known: known) }
    if !isRefused(name) { warn(about: client, draft, isNew: known == nil) }
    return client
  }

  /// What deserves a look although it is allowed.
  private mutating func warn(about client: ClientConfig, _ draft: ClientDraft, isNew: Bool) {
    if client.windows.isEmpty {
      warn(
        at: draft.windows?.place ?? draft.place, field: "windows",
        "\(client.name) has no window, so none of its servers will ever be updated",
        hint: "write one such as Sat 22:00-06:00, or always", client: client.name)
    } else if isNew, draft.zone == nil, client.zone == Zone.utc.name, !client.isZoneless {
      warn(
        at: draft.place, field: "zone", "\(client.name) has no zone; its windows are read as UTC",
        hint: "write zone: Europe/Paris, or the zone behind the window", client: client.name)
    }
  }
}

// MARK: - Time

extension FleetBuilder {
  /// Given, known, or the one that all windows name.
  private mutating func zone(of draft: ClientDraft, known: ClientConfig?) -> String {
    guard let given = draft.zone else {
      let rules = draft.windows?.value.map(\.value) ?? []
      let named = Set(rules.map(WindowRule.zoneNamed))
      let common = named.count == 1 ? named.first ?? nil : nil
      return known?.zone ?? common.flatMap { try? Zone($0).name } ?? Zone.utc.name
    }
    do {
      return try Zone(given.value).name
    } catch {
      refuse(at: given.place, field: "zone", error.value, client: draft.name)
      // The windows are read nevertheless, so that all errors are said at once.
      return Zone.utc.name
    }
  }

  private mutating func windows(of draft: ClientDraft, zone: String) -> [MaintenanceWindow]? {
    guard let windows = draft.windows else { return nil }
    if windows.value.count > Limits.windowsPerClient {
      refuse(
        at: windows.place, field: "windows",
        ValueError(
          message: "\(draft.name) has \(windows.value.count) windows",
          hint: "at most \(Limits.windowsPerClient)"), client: draft.name)
      return nil
    }
    for window in windows.value {
      do {
        _ = try WindowRule(parsing: window.value, zone: zone)
      } catch {
        refuse(at: window.place, field: "windows", error.value, client: draft.name)
      }
    }
    return windows.value.map { MaintenanceWindow(rule: $0.value) }
  }

  private mutating func freezes(of draft: ClientDraft, zone: String) -> [Freeze]? {
    guard let freezes = draft.freezes, let zone = try? Zone(zone) else { return nil }
    if freezes.value.count > Limits.freezesPerClient {
      refuse(
        at: freezes.place, field: "freezes",
        ValueError(
          message: "\(draft.name) has \(freezes.value.count) freezes",
          hint: "at most \(Limits.freezesPerClient)"), client: draft.name)
      return nil
    }
    for freeze in freezes.value where interval(of: freeze.value, zone).isEmpty {
      refuse(
        at: freeze.place, field: "freezes",
        ValueError(message: "the freeze ends before it begins", hint: "until must be later"),
        client: draft.name)
    }
    return freezes.value.map {
      Freeze(interval: interval(of: $0.value, zone), reason: $0.value.reason)
    }
  }

  /// A day alone is the whole day: from its midnight, until the midnight after it.
  private func interval(of freeze: FreezeDraft, _ zone: Zone) -> Interval {
    func instant(_ meaning: InstantText.Meaning, daysLater: Int) -> Instant {
      switch meaning {
      case .day(let day): zone.instant(of: WallTime(day: day + daysLater, minute: 0))
      case .wall(let time): zone.instant(of: time)
      case .instant(let instant): instant
      }
    }
    return Interval(
      start: instant(freeze.from, daysLater: 0), end: instant(freeze.until, daysLater: 1))
  }
}

// MARK: - Rings and contacts

extension FleetBuilder {
  private mutating func ring(of draft: ClientDraft, _ names: [RingName]) -> Ring? {
    guard let given = draft.ring else { return nil }
    if let number = Int(given.value), let ring = Ring(number) { return ring }
    let wanted = given.value.lowercased()
    let all = names.map { ($0.name, $0.ring) } + Ring.all.map { ($0.defaultName, $0) }
    if let named = all.first(where: { $0.0.lowercased() == wanted }) { return named.1 }
    refuse(
      at: given.place, field: "ring",
      ValueError(
        message: "“\(given.value)” is not a ring",
        hint: Spelling.nearest(to: given.value, among: all.map(\.0)).map { "did you mean \($0)?" }
          ?? "write a number from 0 to \(Ring.last), or the name of a ring"), client: draft.name)
    return nil
  }

  private mutating func contacts(of draft: ClientDraft, known: [Contact]) -> [Contact]? {
    guard let given = draft.contacts else { return nil }
    if given.value.count > Limits.contactsPerClient {
      refuse(
        at: given.place, field: "contacts",
        ValueError(
          message: "\(draft.name) has \(given.value.count) contacts",
          hint: "at most \(Limits.contactsPerClient)"), client: draft.name)
    }
    return given.value.map { contact in
      let language = contact.language ?? known.first { $0.email == contact.email }?.language
      return language.map { Contact(email: contact.email, language: $0) }
        ?? Contact(email: contact.email)
    }
  }
}

extension WindowError {
  var value: ValueError { ValueError(message: message, hint: hint) }
}

extension ClientConfig {
  /// Its windows need no zone: they are always open, or name their own.
  fileprivate var isZoneless: Bool {
    windows.allSatisfy { window in
      window.rule.lowercased() == "always" || WindowRule.zoneNamed(in: window.rule) != nil
    }
  }
}

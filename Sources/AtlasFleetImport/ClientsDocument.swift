import AtlasCalendar
import AtlasModel

/// Reads the clients of a fleet from a tree: names of rings, host patterns, and clients with
/// their windows and rules.
///
/// `defaults:` holds keys that every client of the file has unless it says otherwise.
struct ClientsDocument {
  static let keys = ["rings", "host_pattern", "defaults", "clients"]

  static let clientKeys = [
    "name", "ring", "zone", "windows", "freezes", "max_parallel_servers", "require_backup",
    "create_snapshots", "max_backup_age", "priority", "contacts", "require_change_reference",
  ]

  /// Index of the document.
  private let file: Int
  private let root: [SourceNode.Entry]

  init(_ root: [SourceNode.Entry], file: Int) {
    self.root = root
    self.file = file
  }

  func read(into draft: inout FleetDraft) {
    var defaults: ClientDraft?
    for entry in root where entry.key == "defaults" {
      defaults = readDefaults(entry.value, &draft.diagnostics)
    }
    for entry in root {
      switch entry.key {
      case "rings": readRings(entry.value, &draft)
      case "host_pattern": readPatterns(entry.value, &draft)
      case "defaults": break
      case "clients": readClients(entry.value, defaults: defaults, &draft)
      case _: unknownKey(entry, among: Self.keys, client: nil, &draft.diagnostics)
      }
    }
  }

  private func unknownKey(
    _ entry: SourceNode.Entry, among known: [String], client: ClientName?,
    _ diagnostics: inout DiagnosticList
  ) {
    let hint =
      Spelling.nearest(to: entry.key, among: known).map { "did you mean \($0)?" }
      ?? (PolicyKey.isKnown(entry.key)
        ? "it is a setting of a campaign: write it in the policy"
        : "known keys: \(known.joined(separator: ", "))")
    diagnostics.error(
      at: place(entry.line), field: entry.key, "the key “\(entry.key)” is not known", hint: hint,
      client: client)
  }

  private func place(_ line: Int) -> Place { Place(file: file, line: line) }
}

// MARK: - Rings and patterns

extension ClientsDocument {
  /// `{0: canary, 1: pilots}`, or a list that begins with ring 0.
  private func readRings(_ node: SourceNode, _ draft: inout FleetDraft) {
    if let items = node.items {
      for (number, item) in items.enumerated() { nameRing("\(number)", item, &draft) }
    } else if let entries = node.entries {
      for entry in entries { nameRing(entry.key, entry.value, &draft) }
    } else {
      wrongKind(node, "rings", expected: "a list of names, or 0: canary", nil, &draft.diagnostics)
    }
  }

  private func nameRing(_ number: String, _ node: SourceNode, _ draft: inout FleetDraft) {
    do throws(ValueError) {
      guard let ring = Ring(try Values.int(number, in: 0...Int(Ring.last.number))) else { return }
      guard let text = node.scalar, !text.isEmpty else {
        throw ValueError(message: "ring \(number) has no name")
      }
      draft.nameRing(ring, try Values.text(text, limit: Limits.ringName), at: place(node.line))
    } catch {
      draft.diagnostics.error(at: place(node.line), field: "rings", error, client: nil)
    }
  }

  /// One pattern or a list of them.
  private func readPatterns(_ node: SourceNode, _ draft: inout FleetDraft) {
    for item in node.items ?? [node] {
      do throws(ValueError) {
        guard let text = item.scalar, draft.patterns.count < ImportLimits.patterns else {
          throw ValueError(
            message: "host_pattern is \(item.description)",
            hint: "write up to \(ImportLimits.patterns) patterns such as CLIENT-SITE-ROLE-NN")
        }
        draft.patterns.append(try HostPattern(text))
      } catch {
        draft.diagnostics.error(at: place(item.line), field: "host_pattern", error, client: nil)
      }
    }
  }
}

// MARK: - Clients

extension ClientsDocument {
  private func readDefaults(
    _ node: SourceNode, _ diagnostics: inout DiagnosticList
  ) -> ClientDraft? {
    guard let entries = node.entries else {
      wrongKind(node, "defaults", expected: "keys of a client", nil, &diagnostics)
      return nil
    }
    var draft = ClientDraft(name: ClientName(trusted: "defaults"), place: place(node.line))
    for entry in entries {
      if entry.key == "name" {
        diagnostics.error(
          at: place(entry.line), field: "name", "defaults have no name", client: nil)
      } else {
        read(entry, into: &draft, client: nil, &diagnostics)
      }
    }
    return draft
  }

  private func readClients(
    _ node: SourceNode, defaults: ClientDraft?, _ draft: inout FleetDraft
  ) {
    guard !node.isNull else { return }
    guard let items = node.items else {
      return wrongKind(node, "clients", expected: "a list: - name: LAA", nil, &draft.diagnostics)
    }
    for item in items {
      guard let name = name(of: item, &draft.diagnostics) else { continue }
      var client = ClientDraft(name: name, place: place(item.line))
      for entry in item.entries ?? [] where entry.key != "name" {
        read(entry, into: &client, client: name, &draft.diagnostics)
      }
      if let defaults { client.fill(from: defaults) }
      draft.add(client)
    }
  }

  private func name(of item: SourceNode, _ diagnostics: inout DiagnosticList) -> ClientName? {
    guard let node = item["name"] else {
      wrongKind(item, "clients", expected: "- name: LAA", nil, &diagnostics, problem: "no name")
      return nil
    }
    let name: Sourced<ClientName>? = value(node, "name", nil, &diagnostics, Values.name)
    return name?.value
  }

  /// Reads one key of a client.
  private func read(
    _ entry: SourceNode.Entry, into draft: inout ClientDraft, client: ClientName?,
    _ diagnostics: inout DiagnosticList
  ) {
    let (key, node) = (entry.key, entry.value)
    switch key {
    case "ring": draft.ring = value(node, key, client, &diagnostics) { $0 }
    case "zone": draft.zone = value(node, key, client, &diagnostics) { $0 }
    case "windows": draft.windows = windows(node, client, &diagnostics)
    case "freezes": draft.freezes = freezes(node, client, &diagnostics)
    case "max_parallel_servers":
      draft.maxParallelServers = int(node, key, in: 1...Limits.slotsPerClient, client, &diagnostics)
    case "require_backup":
      draft.requireBackup = value(node, key, client, &diagnostics, Values.bool)
    case "create_snapshots":
      draft.createSnapshots = value(node, key, client, &diagnostics, Values.bool)
    case "max_backup_age":
      draft.maxBackupAge = value(node, key, client, &diagnostics, Values.backupAge)
    case "priority":
      draft.priority = int(node, key, in: ClientConfig.priorities, client, &diagnostics)
    case "contacts": draft.contacts = contacts(node, client, &diagnostics)
    case "require_change_reference":
      draft.requireChangeReference = value(node, key, client, &diagnostics, Values.bool)
    case _:
      unknownKey(entry, among: Self.clientKeys, client: client, &diagnostics)
    }
  }
}

// MARK: - Windows, freezes, contacts

extension ClientsDocument {
  /// A list of rules, or one.
  private func windows(
    _ node: SourceNode, _ client: ClientName?, _ diagnostics: inout DiagnosticList
  ) -> Sourced<[Sourced<String>]>? {
    if node.isNull { return Sourced([], at: place(node.line)) }
    let windows = (node.items ?? [node]).compactMap { item in
      value(item, "windows", client, &diagnostics) { $0 }
    }
    return Sourced(windows, at: place(node.line))
  }

  private func freezes(
    _ node: SourceNode, _ client: ClientName?, _ diagnostics: inout DiagnosticList
  ) -> Sourced<[Sourced<FreezeDraft>]>? {
    if node.isNull { return Sourced([], at: place(node.line)) }
    guard let items = node.items else {
      wrongKind(
        node, "freezes", expected: "a list: - {from: 2026-12-20, until: 2027-01-04, reason: …}",
        client, &diagnostics)
      return nil
    }
    let freezes = items.compactMap { freeze($0, client, &diagnostics) }
    return Sourced(freezes, at: place(node.line))
  }

  private func freeze(
    _ node: SourceNode, _ client: ClientName?, _ diagnostics: inout DiagnosticList
  ) -> Sourced<FreezeDraft>? {
    guard let from = node["from"], let until = node["until"] else {
      wrongKind(
        node, "freezes", expected: "from:, until: and reason:", client, &diagnostics,
        problem: "a freeze lacks its beginning or its end")
      return nil
    }
    for entry in node.entries ?? [] where !["from", "until", "reason"].contains(entry.key) {
      unknownKey(entry, among: ["from", "until", "reason"], client: client, &diagnostics)
    }
    guard
      let from = value(from, "from", client, &diagnostics, Self.time),
      let until = value(until, "until", client, &diagnostics, Self.time)
    else { return nil }
    let reason = node["reason"].flatMap { reason in
      reason.isNull ? nil : value(reason, "reason", client, &diagnostics, Self.reason)
    }
    return Sourced(
      FreezeDraft(from: from.value, until: until.value, reason: reason?.value ?? ""),
      at: place(node.line))
  }

  private static func time(_ text: String) throws(ValueError) -> InstantText.Meaning {
    guard let time = InstantText.read(text) else {
      throw ValueError(
        message: "“\(text)” is not a time",
        hint: "write 2026-12-20, 2026-12-20T18:00 or 2026-12-20T18:00:00+01:00")
    }
    return time
  }

  private static func reason(_ text: String) throws(ValueError) -> String {
    try Values.text(text, limit: Limits.message)
  }

  /// A list of `{email:, language:}` or of addresses.
  private func contacts(
    _ node: SourceNode, _ client: ClientName?, _ diagnostics: inout DiagnosticList
  ) -> Sourced<[ContactDraft]>? {
    if node.isNull { return Sourced([], at: place(node.line)) }
    guard let items = node.items else {
      wrongKind(
        node, "contacts", expected: "a list: - {email: it@example.com, language: fr}", client,
        &diagnostics)
      return nil
    }
    return Sourced(items.compactMap { contact($0, client, &diagnostics) }, at: place(node.line))
  }

  private func contact(
    _ node: SourceNode, _ client: ClientName?, _ diagnostics: inout DiagnosticList
  ) -> ContactDraft? {
    for entry in node.entries ?? [] where !["email", "language"].contains(entry.key) {
      unknownKey(entry, among: ["email", "language"], client: client, &diagnostics)
    }
    let address = node.entries == nil ? node : node["email"]
    guard let address else {
      wrongKind(
        node, "contacts", expected: "email: it@example.com", client, &diagnostics,
        problem: "a contact has no address")
      return nil
    }
    guard let email = value(address, "contacts", client, &diagnostics, Values.email) else {
      return nil
    }
    let language = node["language"].flatMap {
      value($0, "language", client, &diagnostics, Values.language)
    }
    return ContactDraft(email: email.value, language: language?.value)
  }
}

// MARK: - Values

extension ClientsDocument {
  private func value<Value: Equatable>(
    _ node: SourceNode, _ key: String, _ client: ClientName?,
    _ diagnostics: inout DiagnosticList, _ read: (String) throws(ValueError) -> Value
  ) -> Sourced<Value>? {
    guard let text = node.scalar else {
      wrongKind(node, key, expected: "one value", client, &diagnostics)
      return nil
    }
    do {
      return Sourced(try read(text), at: place(node.line))
    } catch {
      diagnostics.error(at: place(node.line), field: key, error, client: client)
      return nil
    }
  }

  private func int(
    _ node: SourceNode, _ key: String, in range: ClosedRange<Int>, _ client: ClientName?,
    _ diagnostics: inout DiagnosticList
  ) -> Sourced<Int>? {
    value(node, key, client, &diagnostics) { text throws(ValueError) in
      try Values.int(text, in: range)
    }
  }

  private func wrongKind(
    _ node: SourceNode, _ key: String, expected: String, _ client: ClientName?,
    _ diagnostics: inout DiagnosticList, problem: String? = nil
  ) {
    diagnostics.error(
      at: place(node.line), field: key, problem ?? "\(key) is \(node.description)",
      hint: "write \(expected)", client: client)
  }
}

extension ClientDraft {
  /// Takes what it lacks from `defaults`.
  fileprivate mutating func fill(from defaults: ClientDraft) {
    ring = ring ?? defaults.ring
    zone = zone ?? defaults.zone
    windows = windows ?? defaults.windows
    freezes = freezes ?? defaults.freezes
    maxParallelServers = maxParallelServers ?? defaults.maxParallelServers
    requireBackup = requireBackup ?? defaults.requireBackup
    createSnapshots = createSnapshots ?? defaults.createSnapshots
    maxBackupAge = maxBackupAge ?? defaults.maxBackupAge
    priority = priority ?? defaults.priority
    contacts = contacts ?? defaults.contacts
    requireChangeReference = requireChangeReference ?? defaults.requireChangeReference
  }
}

import AtlasModel

/// Reads the tree of a policy file into drafts, one for the campaign and one for each client.
struct PolicyReader {
  /// Keys that hold other keys.
  static let groups = [
    "estimates", "phase_timeouts", "rollback", "roles", "ring_gate", "gates",
    BreakerKey.group, ResourceLimit.group, "clients",
  ]

  var diagnostics: DiagnosticList
  var draft: PolicyDraft
  private(set) var clients: [ClientName: PolicyDraft] = [:]
  /// The client whose part is being read.
  private(set) var client: ClientName?
  /// What a policy may name; nil for anything.
  let names: FleetNames?
  /// What windows are compared with; nil for nothing.
  let now: Instant?

  private let defaults: Policy
  /// Of clients that had their own before.
  private let overrides: [ClientName: Policy]

  init(
    file: String, over defaults: Policy, overrides: [ClientName: Policy], names: FleetNames?,
    now: Instant?
  ) {
    self.now = now
    self.defaults = defaults
    self.overrides = overrides
    self.names = names
    diagnostics = DiagnosticList(files: [file])
    draft = PolicyDraft(over: defaults)
  }

  mutating func refuse(_ error: SourceError) {
    diagnostics.error(
      at: Place(file: 0, line: error.line), error.message, hint: error.hint, client: nil)
  }

  mutating func read(_ root: SourceNode) {
    guard !root.isNull else { return keepOverrides(draft) }
    guard let entries = root.entries else {
      return refuse(root, "", "the policy is \(root.description)", hint: "write key: value")
    }
    for entry in entries where entry.key != "clients" { read(entry) }
    checkTimes()
    let campaign = draft
    defer { keepOverrides(campaign) }
    for entry in entries where entry.key == "clients" {
      for part in entry.value.entries ?? [] { readClient(part, campaign) }
      if entry.value.entries == nil, !entry.value.isNull {
        refuse(
          entry.value, "clients", "clients is \(entry.value.description)",
          hint: "write LAA: and its keys below")
      }
    }
  }

  /// What the file does not name of clients that had their own before.
  private mutating func keepOverrides(_ campaign: PolicyDraft) {
    for name in overrides.keys.sorted() where clients[name] == nil {
      client = name
      draft = base(of: name, campaign)
      checkTimes()
      clients[name] = draft
      client = nil
    }
    draft = campaign
  }

  /// What a client has when the file says nothing about it.
  private func base(of name: ClientName, _ campaign: PolicyDraft) -> PolicyDraft {
    var base = campaign
    base.explicit = []
    base.places = [:]
    if let own = overrides[name] { base.take(own, differingFrom: defaults) }
    return base
  }

  private mutating func readClient(_ entry: SourceNode.Entry, _ campaign: PolicyDraft) {
    guard
      let name = attempt(
        entry.line, "clients",
        { () throws(ValueError) -> ClientName in
          try Values.name(entry.key)
        })
    else { return }
    if let names, !names.clients.contains(name) {
      refuse(
        entry.line, "clients", "the client \(name) is not known",
        hint: Spelling.nearest(to: name.text, among: names.clients.map(\.text).sorted())
          .map { "did you mean \($0)?" } ?? "import it first")
    }
    guard let entries = entry.value.entries else {
      return refuse(
        entry.value, "clients", "the part of \(name) is \(entry.value.description)",
        hint: "write keys of a policy")
    }
    client = name
    draft = base(of: name, campaign)
    for entry in entries { read(entry) }
    checkTimes()
    clients[name] = draft
    client = nil
  }

  private mutating func read(_ entry: SourceNode.Entry) {
    switch entry.key {
    case "estimates": readEstimates(entry)
    case TimeKey.phaseGroup: readPhaseTimeouts(entry.value)
    case "rollback": readRollback(entry)
    case "roles": readRoles(entry.value)
    case "ring_gate" where client == nil: readRingGate(entry.value)
    case "gates" where client == nil: readGates(entry.value)
    case BreakerKey.group where client == nil: readBreakers(entry.value)
    case ResourceLimit.group where client == nil: readResources(entry.value)
    case _: readSingle(entry)
    }
  }
}

// MARK: - Single values

extension PolicyReader {
  private mutating func readSingle(_ entry: SourceNode.Entry) {
    guard let key = PolicyKey.byName[entry.key] else { return refuseUnknown(entry) }
    guard client == nil || key.isForClients else {
      return refuse(
        entry.line, key.name, "\(key.name) is a setting of the whole campaign",
        hint: "write it at the top of the policy")
    }
    guard let text = text(entry.value, key.name) else { return }
    var policy = draft.policy
    attempt(entry.value.line, key.name) { () throws(ValueError) in try key.set(&policy, text) }
    draft.policy = policy
    draft.note(key.name, at: place(entry.value.line))
    if key.name == PolicyKey.windowsName { checkOpenings(policy.windows, entry.value.line) }
    guard key.name == PolicyKey.peerCheckName else { return }
    for role in policy.peerCheck { warn(about: role, entry.value.line, key.name) }
  }

  private mutating func refuseUnknown(_ entry: SourceNode.Entry) {
    let known = PolicyKey.all.map(\.name) + Self.groups
    let (message, hint) =
      switch entry.key {
      case "representative":
        ("representative is a setting of a gate", "write ring_gate: {representative: …}")
      case "ends_at":
        ("ends_at is no setting of the policy", "give it when the campaign is created")
      case "ring_gate", "gates", BreakerKey.group, ResourceLimit.group, "clients":
        ("\(entry.key) is a setting of the whole campaign", "write it at the top of the policy")
      case "freezes", "zone", "ring", "priority", "contacts", "require_change_reference":
        ("\(entry.key) belongs to the client, not to a campaign", "write it in the fleet")
      case _:
        (
          "the key “\(entry.key)” is not known",
          Spelling.nearest(to: entry.key, among: known).map { "did you mean \($0)?" }
            ?? "known keys: \(known.joined(separator: ", "))"
        )
      }
    refuse(entry.line, entry.key, message, hint: hint)
  }
}

// MARK: - Times and roles

extension PolicyReader {
  /// `{default: 45m, SQL: 3h}`.
  private mutating func readEstimates(_ entry: SourceNode.Entry) {
    guard let key = TimeKey.all.first, let entries = group(entry.value, entry.key) else { return }
    for entry in entries {
      if entry.key == "default" {
        readTime(key, entry, role: nil)
      } else if let role = role(entry) {
        readTime(key, entry, role: role)
      }
    }
  }

  private mutating func readPhaseTimeouts(_ node: SourceNode, role: Role? = nil) {
    for entry in group(node, TimeKey.phaseGroup) ?? [] {
      guard let key = TimeKey.phases.first(where: { $0.name == entry.key }) else {
        let known = TimeKey.phases.map(\.name)
        let hint =
          ["update", "reboot"].contains(entry.key)
          ? "write \(entry.key)_timeout"
          : Spelling.nearest(to: entry.key, among: known).map { "did you mean \($0)?" }
            ?? "known phases: \(known.joined(separator: ", "))"
        refuse(
          entry.line, "\(TimeKey.phaseGroup).\(entry.key)",
          "the phase “\(entry.key)” has no limit here", hint: hint)
        continue
      }
      readTime(key, entry, role: role)
    }
  }

  private mutating func readTime(_ key: TimeKey, _ entry: SourceNode.Entry, role: Role?) {
    let name = role.map { key.key(of: $0) } ?? key.campaignKey
    guard let text = text(entry.value, name) else { return }
    guard !draft.explicit.contains(name) else {
      return refuse(entry.line, name, "\(name) is written twice", hint: "keep one of them")
    }
    let time = attempt(entry.value.line, name) { () throws(ValueError) in try key.read(text) }
    draft.note(name, at: place(entry.value.line))
    guard let time else { return }
    if let role {
      draft.roleTimes[role, default: [:]][key.name] = time
    } else {
      draft.policy.times[keyPath: key.path] = time
    }
  }

  /// `snapshot`, or `{default: snapshot, DC: hold}`.
  private mutating func readRollback(_ entry: SourceNode.Entry) {
    guard let entries = entry.value.entries else { return readRollback(entry, role: nil) }
    for entry in entries {
      if entry.key == "default" {
        readRollback(entry, role: nil)
      } else if let role = role(entry) {
        readRollback(entry, role: role)
      }
    }
  }

  private mutating func readRollback(_ entry: SourceNode.Entry, role: Role?) {
    let name = "rollback.\(role?.text ?? "default")"
    guard let text = text(entry.value, name) else { return }
    guard !draft.explicit.contains(name) else {
      return refuse(entry.line, name, "\(name) is written twice", hint: "keep one of them")
    }
    let means = attempt(entry.value.line, name) { () throws(ValueError) in
      try Values.choice(text, of: RollbackMeans.self)
    }
    draft.note(name, at: place(entry.value.line))
    guard let means else { return }
    if let role { draft.setRollback(means, of: role) } else { draft.policy.rollback = means }
  }

  /// `{SQL: {update_timeout: 4h, rollback: hold}}`.
  private mutating func readRoles(_ node: SourceNode) {
    for entry in group(node, "roles") ?? [] {
      guard let role = role(entry), let keys = group(entry.value, "roles.\(role)") else { continue }
      for entry in keys { readRoleKey(entry, role) }
    }
  }

  private mutating func readRoleKey(_ entry: SourceNode.Entry, _ role: Role) {
    if entry.key == TimeKey.phaseGroup { return readPhaseTimeouts(entry.value, role: role) }
    if entry.key == "rollback" { return readRollback(entry, role: role) }
    let keys = TimeKey.all.filter { $0.group != TimeKey.phaseGroup }
    if let key = keys.first(where: { $0.name == entry.key }) {
      return readTime(key, entry, role: role)
    }
    let known = keys.map(\.name) + [TimeKey.phaseGroup, "rollback"]
    refuse(
      entry.line, "roles.\(role).\(entry.key)", "a role has no key “\(entry.key)”",
      hint: Spelling.nearest(to: entry.key, among: known).map { "did you mean \($0)?" }
        ?? "known keys: \(known.joined(separator: ", "))")
  }

  private mutating func role(_ entry: SourceNode.Entry) -> Role? {
    let role = attempt(entry.line, entry.key) { () throws(ValueError) in
      try Values.role(entry.key)
    }
    if let role { warn(about: role, entry.line, entry.key) }
    return role
  }

  /// A role that nobody has is most likely written wrongly, and protects nothing.
  private mutating func warn(about role: Role, _ line: Int, _ field: String) {
    guard let names, !names.roles.contains(role) else { return }
    warn(
      line, field, "no server has the role \(role), so this does nothing", role.text,
      among: names.roles.map(\.text))
  }

  /// The same for something that servers share.
  mutating func warn(about resource: ResourceName, _ line: Int, _ field: String) {
    guard let names, !names.resources.contains(resource) else { return }
    warn(
      line, field, "no server uses \(resource), so this does nothing", resource.text,
      among: names.resources.map(\.text))
  }

  private mutating func warn(
    _ line: Int, _ field: String, _ message: String, _ name: String, among known: [String]
  ) {
    let known = known.sorted()
    let nearest = Spelling.nearest(to: name, among: known).map { "did you mean \($0)?" }
    diagnostics.warning(
      at: place(line), field: field, message,
      hint: nearest ?? "known: \(known.prefix(10).joined(separator: ", "))", client: client)
  }
}

// MARK: - Gates

extension PolicyReader {
  private mutating func readRingGate(_ node: SourceNode) {
    for entry in group(node, "ring_gate") ?? [] {
      guard let text = gateText(entry) else { continue }
      draft.allGates[entry.key] = text
      for ring in Ring.gated { draft.note("gates.\(ring).\(entry.key)", at: place(entry.line)) }
    }
  }

  /// `- {ring: 0, open_after: sample, success_rate: 95%}`: the gate behind ring 0.
  private mutating func readGates(_ node: SourceNode) {
    guard let items = node.items else {
      return refuse(
        node, "gates", "gates is \(node.description)", hint: "write a list: - {ring: 0, …}")
    }
    for item in items {
      guard let entries = group(item, "gates") else { continue }
      guard let ring = ring(of: item) else { continue }
      guard draft.gates[ring] == nil else {
        refuse(
          item, "gates", "the gate behind ring \(ring) is there twice", hint: "keep one of them")
        continue
      }
      draft.gates[ring] = [:]
      for entry in entries where entry.key != "ring" {
        guard let text = gateText(entry) else { continue }
        draft.gates[ring]?[entry.key] = text
        draft.note("gates.\(ring).\(entry.key)", at: place(entry.line))
      }
      warnOfGate(behind: ring, item.line)
    }
  }

  private mutating func ring(of item: SourceNode) -> Ring? {
    guard let node = item["ring"], let text = node.scalar else {
      refuse(
        item, "gates", "the gate lacks its ring", hint: "write ring: 0 for the gate behind ring 0")
      return nil
    }
    let number = attempt(node.line, "gates") { () throws(ValueError) in
      try Values.int(text, in: 0...Int(Ring.last.number))
    }
    guard let ring = number.flatMap({ Ring($0) }) else { return nil }
    guard ring < .last else {
      refuse(
        node, "gates", "no ring comes after ring \(ring), so there is no gate behind it",
        hint: "gates are behind the rings 0 to \(Ring.last.number - 1)")
      return nil
    }
    return ring
  }

  /// The text of a key of a gate, if it can be read.
  private mutating func gateText(_ entry: SourceNode.Entry) -> String? {
    guard let key = GateKey.all.first(where: { $0.name == entry.key }) else {
      let known = GateKey.all.map(\.name)
      refuse(
        entry.line, "gates",
        "a gate has no key “\(entry.key)”",
        hint: Spelling.nearest(to: entry.key, among: known).map { "did you mean \($0)?" }
          ?? "known keys: ring, \(known.joined(separator: ", "))")
      return nil
    }
    guard let text = text(entry.value, key.name) else { return nil }
    var gate = RingGate(ring: .canary)
    let read: Void? = attempt(entry.value.line, key.name) { () throws(ValueError) in
      try key.set(&gate, text)
    }
    return read.map { text }
  }
}

// MARK: - Refusing

extension PolicyReader {
  func place(_ line: Int) -> Place { Place(file: 0, line: line) }

  mutating func refuse(_ line: Int, _ field: String, _ message: String, hint: String) {
    diagnostics.error(at: place(line), field: field, message, hint: hint, client: client)
  }

  mutating func refuse(
    _ node: SourceNode, _ field: String, _ message: String, hint: String
  ) {
    refuse(node.line, field, message, hint: hint)
  }

  @discardableResult
  mutating func attempt<Value>(
    _ line: Int, _ field: String, _ read: () throws(ValueError) -> Value
  ) -> Value? {
    do {
      return try read()
    } catch {
      refuse(line, field, error.message, hint: error.hint)
      return nil
    }
  }

  /// Nothing (`~`) stands for no limit.
  mutating func text(_ node: SourceNode, _ key: String) -> String? {
    if node.isNull { return PolicyKey.unlimited }
    guard let text = node.scalar else {
      refuse(node, key, "\(key) is \(node.description)", hint: "write one value")
      return nil
    }
    return text
  }

  mutating func group(_ node: SourceNode, _ key: String) -> [SourceNode.Entry]? {
    if node.isNull { return [] }
    guard let entries = node.entries else {
      refuse(node, key, "\(key) is \(node.description)", hint: "write key: value below it")
      return nil
    }
    return entries
  }
}

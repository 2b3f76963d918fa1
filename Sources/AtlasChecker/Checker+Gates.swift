/// Rings and their gates (engine.md §6), worked out from the log and from what people configured.
extension Checker {
  /// A ring of a campaign, with the gate behind it.
  struct RingModel {
    /// Servers of each client of the ring.
    var clients: [String: Int] = [:]
    var servers = 0
    /// Since when the conditions of the gate have held, as of the last instant that is over.
    var since: Int64?
    /// They have held for the whole soak once.
    var isSoaked = false
    /// A person has approved of it, as far as its conditions hold.
    var isApproved = false
    /// A person has opened the gate for good.
    var isPromoted = false
    /// Kinds of servers of which one has completed here.
    var completed: Set<String> = []
    /// Kinds that servers have become, and have ceased to be, after they had completed here: until the
    /// daemon starts again they may count as what they were, and then as what they are.
    var became: Set<String> = []
    var ceased: Set<String> = []
    /// When something last changed that the gate may depend on.
    var touchedAt: Int64?
  }

  /// The rings of a campaign that is made now.
  func ringsOf(_ campaign: CampaignFact) -> [RingModel] {
    var rings = [RingModel](repeating: RingModel(), count: 8)
    for name in campaign.servers {
      guard let server = servers[name], let client = clients[server.client],
        rings.indices.contains(client.current.ring)
      else { continue }
      rings[client.current.ring].clients[server.client, default: 0] += 1
      rings[client.current.ring].servers += 1
    }
    return rings
  }

  /// The runs that a gate looks at: open ones of postponed clients are outside it.
  struct GateCount {
    var open = 0
    var completed = 0
    var bad = 0
    var attempted: Int { completed + bad }
  }

  private func count(_ name: String, _ number: Int) -> GateCount {
    guard let campaign = log.campaigns[name], let ring = rings[name]?[number] else {
      return GateCount()
    }
    let all = campaign.ringTallies[number]
    var count = GateCount(
      open: ring.servers + all.pending + all.inFlight, completed: all.completed,
      bad: all.failed + all.held)
    for client in log.postponedClients {
      guard let servers = ring.clients[client] else { continue }
      let outside = campaign.tallies[client] ?? LogModel.Tally()
      count.open -= servers + outside.pending + outside.inFlight
      count.bad -= outside.held
    }
    count.open -= late(name, ring)
    return count
  }

  /// Pending servers of a ring that carry Atlas: they go after all rings, and no gate waits for them.
  private func late(_ name: String, _ ring: RingModel) -> Int {
    carriers.count { server in
      guard let client = servers[server]?.client, ring.clients[client] != nil else { return false }
      return campaigns[name]?.servers.contains(server) ?? false
        && !log.postponedClients.contains(client)
        && log.newest(server, in: name).map { log.runs[$0]?.state == "PENDING" } ?? true
    }
  }

  /// What a gate lacks, its soak and its approval aside; nil for nothing.
  private func missing(_ name: String, _ ring: Int, _ rule: GateFact) -> String? {
    let count = count(name, ring)
    let needed = min(rule.minCompleted, count.completed + count.open)
    if count.completed < needed { return "\(count.completed) of \(needed) have completed" }
    if count.attempted < 20 {
      if count.bad > rule.maxFailed { return "\(count.bad) failed or are held" }
    } else if count.completed * 100 < count.attempted * rule.successRate {
      return "\(count.completed) of \(count.attempted) attempted have completed"
    }
    return rule.isComplete && count.open > 0 ? "\(count.open) are not over" : nil
  }

  /// Whether the gate behind a ring has all that it waits for, and has had it for its soak.
  func mustBeOpen(_ ring: Int, of name: String) -> Bool {
    guard let model = rings[name]?[ring], let campaign = campaign(name),
      campaign.gates.indices.contains(ring)
    else { return false }
    let rule = campaign.gates[ring]
    guard missing(name, ring, rule) == nil, !rule.needsApproval || model.isApproved else {
      return false
    }
    let since = model.since ?? model.touchedAt ?? .min
    return model.isSoaked || now - rule.soak - slack >= since
  }

  // MARK: - Following the log

  /// Whether a record may change what a gate waits for.
  private func touches(_ record: RecordFact) -> Bool {
    if record.run != nil { return record.from != record.to || record.kind == "run.created" }
    return record.kind.hasPrefix("client.") || record.kind.hasPrefix("campaign.")
      || record.kind.hasPrefix("ring.") || record.kind.hasPrefix("server.")
  }

  /// The instants before that of a record are over, and with them what held then.
  mutating func judgeGate(before record: RecordFact) {
    if touches(record) { settleGates(before: record) }
    guard record.kind == "gate.opened", let ring = record.ring,
      let model = rings[record.campaign]?[ring], !model.isPromoted
    else { return }
    settleGates(before: record)
    judgeOpened(record, ring)
    rings[record.campaign]?[ring].isSoaked = true
  }

  private mutating func settleGates(before record: RecordFact) {
    for (name, models) in rings where log.campaigns[name]?.state == "ACTIVE" {
      guard let campaign = campaign(name) else { continue }
      for ring in models.indices where campaign.gates.indices.contains(ring) {
        guard let touched = models[ring].touchedAt, touched < record.at else { continue }
        settle(name, ring, campaign.gates[ring], at: touched, until: record.at)
      }
    }
  }

  private mutating func settle(
    _ name: String, _ ring: Int, _ rule: GateFact, at touched: Int64, until: Int64
  ) {
    guard var model = rings[name]?[ring] else { return }
    model.since = missing(name, ring, rule) == nil ? model.since ?? touched : nil
    if let since = model.since, until - since >= rule.soak { model.isSoaked = true }
    // While it soaks, the time that passes changes it.
    model.touchedAt = model.since != nil && !model.isSoaked ? until : nil
    rings[name]?[ring] = model
  }

  mutating func gatesFollow(_ record: RecordFact) {
    if record.kind == "ring.promoted", let ring = record.ring {
      for earlier in 0..<ring { rings[record.campaign]?[earlier].isPromoted = true }
    }
    if record.kind == "ring.approved", let ring = record.ring {
      for earlier in 0..<ring { rings[record.campaign]?[earlier].isApproved = true }
    }
    if record.kind == "run.completed", let ring = record.ring {
      let kinds = log.kinds[record.server] ?? []
      rings[record.campaign]?[ring].completed.formUnion(kinds)
    }
    guard touches(record) else { return }
    for name in rings.keys where record.campaign.isEmpty || name == record.campaign {
      for ring in 0..<8 where rings[name]?[ring].servers ?? 0 > 0 {
        if record.run != nil, record.ring != ring { continue }
        rings[name]?[ring].touchedAt = record.at
      }
    }
  }

  // MARK: - Judging

  /// A gate opens, and nobody has promoted its ring.
  private mutating func judgeOpened(_ record: RecordFact, _ ring: Int) {
    guard let campaign = campaign(record.campaign), let model = rings[record.campaign]?[ring],
      campaign.gates.indices.contains(ring)
    else { return }
    let name = "the gate of ring \(ring) of \(record.campaign) opens"
    let rule = campaign.gates[ring]
    if let missing = missing(record.campaign, ring, rule) {
      return fail("gate", "\(name), and \(missing)")
    }
    if rule.needsApproval, !model.isApproved { fail("gate", "\(name), and nobody has approved it") }
    let since = model.since ?? record.at
    if !model.isSoaked, record.at - since < rule.soak {
      fail(
        "gate",
        "\(name) after \((record.at - since) / 1_000) s of \(rule.soak / 1_000) s of soaking")
    }
  }

  /// A server starts: the gates before its ring are open, and its kinds are represented.
  mutating func judgeGates(of record: RecordFact) {
    guard let ring = record.ring, ring > 0, let models = rings[record.campaign],
      let campaign = campaign(record.campaign)
    else { return }
    for earlier in 0..<min(ring, models.count) where !models[earlier].clients.isEmpty {
      let word = log.campaigns[record.campaign]?.gates[earlier] ?? "never opened"
      if word != "gate.opened" {
        fail("gate", "\(record.server) is started, and the gate of ring \(earlier): \(word)")
      } else if !models[earlier].isPromoted, campaign.gates.indices.contains(earlier),
        let missing = missing(record.campaign, earlier, campaign.gates[earlier])
      {
        fail("gate", "\(record.server) is started, and of ring \(earlier) \(missing)")
      }
    }
    judgeKinds(record, ring, models.prefix(ring), campaign)
  }

  private mutating func judgeKinds(
    _ record: RecordFact, _ ring: Int, _ earlier: ArraySlice<RingModel>, _ campaign: CampaignFact
  ) {
    guard campaign.gates.indices.contains(ring - 1), campaign.gates[ring - 1].isRepresentative,
      earlier.contains(where: { !$0.clients.isEmpty })
    else { return }
    for kind in log.kinds[record.server] ?? [] {
      let isRepresented =
        earlier.contains { $0.completed.contains(kind) || $0.became.contains(kind) }
        || log.campaigns[record.campaign]?.waives(kind) ?? false
      if !isRepresented {
        fail(
          "gate", "\(record.server) is started, and no \(kind) has completed before ring \(ring)")
      }
    }
  }
}

extension LogModel.CampaignModel {
  /// Whether people have said that a kind needs no representative.
  func waives(_ kind: String) -> Bool {
    let parts = kind.split(separator: " ")
    let system = kind.drop { $0 != " " }
    return waivers.contains {
      $0 == kind || $0 == "any role on any system"
        || $0 == "any role\(system)" || $0 == "\(parts.first ?? "") on any system"
    }
  }
}

import AtlasModel

/// `representative`: no server starts in a ring before one of each of its kinds has completed in an
/// earlier one, or a person waives that. The gate right in front of the ring says whether it asks;
/// a campaign that has nothing in earlier rings has nothing to ask for.
extension ControlState {
  /// The kind that keeps a run from starting; nil when none does.
  package func missingRepresentative(_ ref: RunRef) -> ServerKind? {
    let campaign = Int(ref.campaign.index)
    let ring = Int(campaigns[campaign].lanes[Int(self[ref].lane)].ring.number)
    guard ring > 0, campaigns[campaign].gateRules[ring - 1].representative,
      campaigns[campaign].firstRing < ring
    else { return nil }
    let server = Int(self[ref].server.index)
    for kind in profiles[Int(servers[server].profile)].kinds
    where !isRepresented(kind, before: ring, in: campaign) {
      let value = kinds[Int(kind)]
      if !campaigns[campaign].safety.waivers.contains(where: { $0.covers(value) }) { return value }
    }
    return nil
  }

  /// Asked here and not by a method of the campaign: that would copy it.
  private func isRepresented(_ kind: Int32, before ring: Int, in campaign: Int) -> Bool {
    let index = Int(kind)
    return index < campaigns[campaign].kinds.completedIn.count
      && Int(campaigns[campaign].kinds.completedIn[index]) < ring
  }

  /// Whether a server of the kind may still complete in an earlier ring.
  package func representativeMayCome(_ kind: ServerKind, for ref: RunRef) -> Bool {
    guard let number = kindNumbers[kind] else { return false }
    let ring = Int(ringOf(ref).number)
    return campaigns[Int(ref.campaign.index)].hasOpen(number, before: ring)
  }

  /// Why only a person can let a run start because of its kinds, in words; nil when none must.
  package func kindProblem(_ ref: RunRef) -> String? {
    if let held = heldSignature(ref) { return "\(held.kind) fails alike at several clients" }
    guard let kind = missingRepresentative(ref), !representativeMayCome(kind, for: ref) else {
      return nil
    }
    return "no \(kind) can complete in an earlier ring: waive it"
  }

  /// A run has come to its end: one fewer may represent its kinds, or it does.
  mutating func noteKinds(_ ref: RunRef, _ to: RunState.Kind) {
    let ring = Int(ringOf(ref).number)
    let profile = Int(servers[self[ref].server].profile)
    var isNews = false
    for kind in profiles[profile].kinds {
      campaigns[ref.campaign].countOpen(kind, ring, by: -1)
      if to == .completed, campaigns[ref.campaign].represent(kind, in: ring) { isNews = true }
    }
    if isNews { wakeUnrepresented(ref.campaign, above: ring) }
  }

  private mutating func wakeUnrepresented(_ id: CampaignID, above ring: Int) {
    for index in campaigns[id].lanes.indices where campaigns[id].lanes[index].waitsForKind {
      guard Int(campaigns[id].lanes[index].ring.number) > ring else { continue }
      campaigns[id].lanes[index].waitsForKind = false
      markDirty(campaigns[id].lanes[index].client)
    }
  }

  /// Counts the kinds of a campaign's runs; what was completed counts as what it is today.
  package mutating func countKinds(_ id: CampaignID) {
    campaigns[id].forgetKinds(kinds.count)
    for index in campaigns[id].runs.indices {
      countKinds(RunRef(campaign: id, index: index), by: 1)
    }
  }

  /// Servers have become others by an import: what has completed represents what it is today.
  mutating func recountKinds() {
    for index in campaigns.indices where campaigns[index].state.isRunning {
      countKinds(CampaignID(index))
      wakeUnrepresented(CampaignID(index), above: -1)
    }
  }

  /// Adds an open or completed run, or takes an open one out.
  mutating func countKinds(_ ref: RunRef, by change: Int32) {
    let ring = Int(ringOf(ref).number)
    let kind = self[ref].state.kind
    for number in profiles[Int(servers[self[ref].server].profile)].kinds {
      if !kind.isTerminal { campaigns[ref.campaign].countOpen(number, ring, by: change) }
      if kind == .completed { _ = campaigns[ref.campaign].represent(number, in: ring) }
    }
  }

  mutating func waive(
    _ id: CampaignID, _ role: Role?, _ system: String?, reason: String, by: String, now: Instant
  ) throws(Refusal) {
    try requireActive(id, to: "waive a representative of")
    let latch = Latch(reason: reason.bounded(), principal: by, since: now)
    let waiver = Waiver(role: role, system: system, latch: latch)
    try checkCovers(id, waiver)
    guard
      !campaigns[id].safety.waivers.contains(where: { $0.role == role && $0.system == system })
    else { return }
    guard campaigns[id].safety.waivers.count < Limits.heldSignatures else {
      throw .limit("at most \(Limits.heldSignatures) waivers; one without role and system is all")
    }
    campaigns[id].safety.waivers.append(waiver)
    record(
      Record(
        .representativeWaived, campaign: id, detail: waiver.description,
        reason: reason.bounded(), principal: by))
    emit(.save(.campaign(id)))
    wakeLanes(of: id)
  }

  private func checkCovers(_ id: CampaignID, _ waiver: Waiver) throws(Refusal) {
    let covers = campaigns[Int(id.index)].runs.contains {
      profiles[Int(servers[Int($0.server.index)].profile)].kinds.contains {
        waiver.covers(kinds[Int($0)])
      }
    }
    guard covers else {
      throw .invalid(
        field: waiver.role == nil ? "system" : "role",
        message: "the campaign has no server of \(waiver.description)")
    }
  }
}

extension Waiver: CustomStringConvertible {
  /// `SQL on windows-2022`, `any role on any system`.
  package var description: String {
    "\(role?.text ?? "any role") on \(system ?? "any system")"
  }
}

/// What servers of one sort have in common: their kinds and what they share. Servers name the sort,
/// so that a million of them cost a number each.
struct ServerProfile: Hashable, Sendable {
  /// Positions in ``ControlState/kinds``.
  var kinds: [Int32] = []
  /// Positions in ``ControlState/resources``.
  var resources: [Int32] = []
}

extension ControlState {
  /// The position of the profile of a server, which is made if it is new.
  mutating func profile(of config: ServerConfig) -> Int32 {
    let profile = ServerProfile(
      kinds: ServerKind.kinds(of: config).map { place(of: $0) },
      resources: config.resources.map { place(of: $0) })
    if let known = profileNumbers[profile] { return known }
    let number = Int32(profiles.count)
    profiles.append(profile)
    profileNumbers[profile] = number
    return number
  }

  private mutating func place(of kind: ServerKind) -> Int32 {
    if let known = kindNumbers[kind] { return known }
    let number = Int32(kinds.count)
    kinds.append(kind)
    kindNumbers[kind] = number
    historyOfKind.append(historyNumbers[kind] ?? -1)
    return number
  }

  private mutating func place(of name: ResourceName) -> Int32 {
    if let known = resourceNumbers[name] { return known }
    let number = Int32(resources.count)
    resources.append(Resource(name: name))
    resourceNumbers[name] = number
    return number
  }

  /// A server is another one from now on, perhaps in the middle of its run.
  mutating func setProfile(_ server: ServerID) {
    let new = profile(of: servers[server].config)
    guard servers[server].profile != new else { return }
    guard let ref = servers[server].openRun else { return servers[server].profile = new }
    let holdsSlot = self[ref].state.kind.holdsSlot
    countKinds(ref, by: -1)
    let isWorking = self[ref].state.kind == .inProgress
    if holdsSlot { returnResources(ref) }
    if isWorking { countWorking(ref, by: -1) }
    servers[server].profile = new
    countKinds(ref, by: 1)
    if holdsSlot { takeResources(ref) }
    if isWorking { countWorking(ref, by: 1) }
    // What it waits for may be another thing, or nothing.
    markDirty(servers[server].client)
  }
}

/// Which kinds have completed in which ring, and which may still.
struct KindProgress: Sendable {
  /// By kind: the lowest ring in which one has completed.
  var completedIn: [UInt8] = []
  /// By ring and kind: runs that are not over.
  var open: [[Int32]] = []
}

extension Campaign {
  mutating func forgetKinds(_ count: Int) {
    kinds.completedIn = Array(repeating: .max, count: count)
    kinds.open = Array(repeating: Array(repeating: 0, count: count), count: rings.count)
    firstRing = rings.firstIndex { $0.counts.total > 0 } ?? 0
  }

  mutating func countOpen(_ kind: Int32, _ ring: Int, by change: Int32) {
    guard kinds.open.indices.contains(ring) else { return }
    while kinds.open[ring].count <= Int(kind) { kinds.open[ring].append(0) }
    kinds.open[ring][Int(kind)] += change
  }

  /// - Returns: whether no lower ring had one of the kind.
  mutating func represent(_ kind: Int32, in ring: Int) -> Bool {
    while kinds.completedIn.count <= Int(kind) { kinds.completedIn.append(.max) }
    guard kinds.completedIn[Int(kind)] > UInt8(clamping: ring) else { return false }
    kinds.completedIn[Int(kind)] = UInt8(clamping: ring)
    return true
  }

  func hasOpen(_ kind: Int32, before ring: Int) -> Bool {
    kinds.open.prefix(ring).contains { Int(kind) < $0.count && $0[Int(kind)] > 0 }
  }
}

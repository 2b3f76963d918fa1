import AtlasEngine
import AtlasModel

/// Checks what keeps runs from starting besides slots and windows: postponements, lost contact,
/// sources, kinds that are held or not represented, and what servers share. From records and
/// policies only; it looks at none of the engine's own counters.
package struct EngineSafetyChecker: Sendable {
  package private(set) var violations: [String] = []
  /// Kinds of records that were seen.
  package private(set) var seen: Set<RecordKind> = []
  private var runs: [RunRef: RunTruth] = [:]
  private var policies: [Policy] = []
  private var running: Set<Int> = []
  private var postponed: Set<ClientID> = []
  private var dark: Set<ClientID> = []
  private var isContactLost = false
  private var sources: [SourceScope: RunRef?] = [:]
  private var heldKinds: [CampaignID: Set<String>] = [:]
  private var waived: [CampaignID: Set<String>] = [:]

  private struct SourceScope: Hashable {
    var campaign: CampaignID
    var client: ClientID?
  }

  private struct RunTruth {
    var client: ClientID
    var config: ServerConfig
    var ring: Ring
    /// The campaign has a server in an earlier ring.
    var isLater: Bool
    var holdsSlot = false
    var isCompleted = false
  }

  package init() {}

  package mutating func know(_ policy: Policy) { policies.append(policy) }

  /// Counts for what has not started.
  package mutating func know(_ policy: Policy, of campaign: CampaignID) {
    policies[Int(campaign.index)] = policy
  }

  package mutating func know(
    _ ref: RunRef, client: ClientID, config: ServerConfig, ring: Ring, isLater: Bool
  ) {
    if runs[ref] == nil {
      runs[ref] = RunTruth(client: client, config: config, ring: ring, isLater: isLater)
    }
    // An import may make another server of it in the middle of its run.
    runs[ref]?.config = config
  }

  package mutating func check(_ record: Record) {
    seen.insert(record.kind)
    latch(record)
    guard let campaign = record.campaign, let number = record.run, let to = record.to,
      let from = record.from
    else { return }
    let ref = RunRef(campaign: campaign, index: Int(number))
    guard let truth = runs[ref] else { return }
    if record.kind == .runStarted { checkStart(ref, truth) }
    if record.kind == .runRetried, postponed.contains(truth.client) {
      report("\(name(ref)) is tried again while its client is postponed")
    }
    if record.kind == .runHeld, record.detail == "LOST", isFrozen(truth.client) {
      report("\(name(ref)) is lost while contact is lost to many")
    }
    runs[ref]?.holdsSlot = to.holdsSlot
    runs[ref]?.isCompleted = to == .completed
    // Cleaning up belongs to no try any more.
    if from == .inProgress, to != .inProgress || record.phase == .finalize { endTry(ref) }
  }

  private mutating func latch(_ record: Record) {
    switch record.kind {
    case .campaignStarted: record.campaign.map { _ = running.insert(Int($0.index)) }
    case .campaignEnded: record.campaign.map { _ = running.remove(Int($0.index)) }
    case .clientPostponed: record.client.map { _ = postponed.insert($0) }
    case .clientResumed where record.detail == "postponed":
      record.client.map { _ = postponed.remove($0) }
    case .clientDark: record.client.map { _ = dark.insert($0) }
    case .clientBack: record.client.map { _ = dark.remove($0) }
    case .environmentHeld, .environmentResumed: latchEnvironment(record)
    case .signatureHeld:
      record.campaign.map { _ = heldKinds[$0, default: []].insert(record.detail) }
    case .signatureReleased:
      record.campaign.map { _ = heldKinds[$0, default: []].remove(record.detail) }
    case .representativeWaived:
      record.campaign.map { _ = waived[$0, default: []].insert(record.detail) }
    case _: break
    }
  }

  private mutating func latchEnvironment(_ record: Record) {
    let isHeld = record.kind == .environmentHeld
    guard let campaign = record.campaign else { return isContactLost = isHeld }
    // A campaign's takes the place of those of its clients.
    if isHeld, record.client == nil { sources = sources.filter { $0.key.campaign != campaign } }
    let hold = SourceScope(campaign: campaign, client: record.client)
    if isHeld { sources.updateValue(nil, forKey: hold) } else { sources.removeValue(forKey: hold) }
  }

  private func isFrozen(_ client: ClientID) -> Bool { isContactLost || dark.contains(client) }

  private mutating func checkStart(_ ref: RunRef, _ truth: RunTruth) {
    if postponed.contains(truth.client) {
      report("\(name(ref)) starts while its client is postponed")
    }
    if isFrozen(truth.client) { report("\(name(ref)) starts while contact is lost") }
    checkSource(ref, truth)
    checkKinds(ref, truth)
    checkCaps(ref, truth)
  }

  /// One at a time tries a source that does not answer.
  private mutating func checkSource(_ ref: RunRef, _ truth: RunTruth) {
    for client in [nil, truth.client] {
      let hold = SourceScope(campaign: ref.campaign, client: client)
      guard let trying = sources[hold] else { continue }
      if let trying { report("\(name(ref)) tries a source that \(name(trying)) tries") }
      sources[hold] = .some(ref)
    }
  }

  private mutating func endTry(_ ref: RunRef) {
    for (hold, trying) in sources where trying == ref { sources.updateValue(nil, forKey: hold) }
  }

  private mutating func checkKinds(_ ref: RunRef, _ truth: RunTruth) {
    let policy = policies[Int(ref.campaign.index)]
    let isAsked =
      truth.isLater
      && policy.gate(after: Ring(Int(truth.ring.number) - 1) ?? .canary).representative
    let roles = truth.config.roles.map(\.text)
    for role in roles.isEmpty ? ["no role"] : roles {
      let kind = "\(role) on \(truth.config.system)"
      if heldKinds[ref.campaign, default: []].contains(kind) {
        report("\(name(ref)) starts, and \(kind) is held")
      }
      if isAsked, !isWaived(role, truth, ref), !isRepresented(role, truth, ref) {
        report("\(name(ref)) starts, and no \(kind) has completed before its ring")
      }
    }
  }

  private func isWaived(_ role: String, _ truth: RunTruth, _ ref: RunRef) -> Bool {
    let said = waived[ref.campaign, default: []]
    return [role, "any role"].contains { role in
      [truth.config.system, "any system"].contains { said.contains("\(role) on \($0)") }
    }
  }

  private func isRepresented(_ role: String, _ truth: RunTruth, _ ref: RunRef) -> Bool {
    runs.contains { other, value in
      other.campaign == ref.campaign && value.isCompleted && value.ring < truth.ring
        && value.config.system == truth.config.system
        && (value.config.roles.isEmpty
          ? role == "no role" : value.config.roles.contains { $0.text == role })
    }
  }

  private mutating func checkCaps(_ ref: RunRef, _ truth: RunTruth) {
    let working = runs.filter { $0.value.holdsSlot && $0.key != ref }.values
    if let most = policies[Int(ref.campaign.index)].perSite {
      let others = working.count {
        $0.client == truth.client && $0.config.site == truth.config.site
      }
      if others >= most { report("\(name(ref)) is one too many at \(truth.config.site)") }
    }
    for resource in truth.config.resources {
      let limits = running.flatMap { policies[$0].resources.filter { $0.name == resource } }
      let others = working.count { $0.config.resources.contains(resource) }
      if let most = limits.map(\.limit).min(), others >= most {
        report("\(name(ref)) is number \(others + 1) at \(resource), and \(most) may")
      }
    }
  }

  private mutating func report(_ violation: String) {
    if violations.count < 20 { violations.append(violation) }
  }

  private func name(_ ref: RunRef) -> String { "run \(ref.campaign.index)/\(ref.index + 1)" }
}

extension EngineChecker {
  /// A server counts once in its campaign, by its newest run.
  package mutating func compareCounts(with state: ControlState) {
    for campaign in state.campaigns {
      var newest: [ServerID: RunState.Kind] = [:]
      for run in campaign.runs { newest[run.server] = run.state.kind }
      for kind in RunState.Kind.allCases {
        let found = newest.values.count { $0 == kind }
        if campaign.counts[kind] != found {
          report("\(campaign.name) counts \(campaign.counts[kind]) \(kind.word), not \(found)")
        }
      }
    }
  }
}

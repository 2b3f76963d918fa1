import AtlasEngine
import AtlasModel

/// A kind of servers that a campaign starts nowhere, because it fails alike at several clients.
package struct HeldKindView: Hashable, Sendable {
  package var kind: ServerKind
  package var phase: Phase
  package var cause: String
  package var clients: [ClientName]
  /// Servers of the kind that have not started.
  package var waiting: Int
  /// Offered for exclusion; nil when no update was named.
  package var update: UpdateID?
  package var latch: Latch
}

/// A kind of servers that waits for a completed one in an earlier ring.
package struct MissingKindView: Hashable, Sendable {
  package var kind: ServerKind
  /// Servers that have not started for that reason.
  package var waiting: Int
  /// One may still complete; if not, only a person lets them go on.
  package var mayCome: Bool
}

/// A server of a client that was postponed, in progress all the same.
package struct InFlightView: Hashable, Sendable {
  package var campaign: CampaignName
  package var server: ServerName
  /// Nil for one that is held or parked before a phase that is not known.
  package var phase: Phase?
  /// Estimated; nil for one that waits for a person.
  package var ends: Instant?
}

extension ControlState {
  /// Flags of what stops by itself: lost contact, sources that do not answer, kinds that fail, and
  /// clients that are postponed.
  func safetyFlags(of campaign: Campaign) -> [FlagView] {
    var flags: [FlagView] = []
    if let contact { flags.append(Self.flag(contact, scope: "fleet")) }
    for lane in campaign.lanes {
      let client = self[client: lane.client]
      let scope = "client \(client.config.name)"
      if let dark = client.dark { flags.append(Self.flag(dark, scope: scope)) }
      if let postponed = client.postponed {
        flags.append(FlagView(kind: "postponed", scope: scope, latch: postponed.latch))
      }
    }
    for hold in campaign.safety.sourceHolds {
      let scope = hold.client.map { "client \(self[client: $0].config.name)" } ?? "campaign"
      flags.append(FlagView(kind: "environment", scope: scope, latch: hold.latch))
    }
    for held in campaign.safety.held {
      flags.append(
        FlagView(kind: "signature_held", scope: held.kind.description, latch: held.latch))
    }
    return flags
  }

  private static func flag(_ hold: ContactHold, scope: String) -> FlagView {
    let reason = "contact lost to \(hold.dropped) servers, \(hold.missing) still away"
    return FlagView(
      kind: "environment", scope: scope,
      latch: Latch(reason: reason, principal: "engine", since: hold.since))
  }

  func heldKinds(of id: CampaignID) -> [HeldKindView] {
    let safety = self[campaign: id].safety
    return safety.held.map { held in
      let seen = safety.signatures.first {
        $0.kind == held.kind && $0.phase == held.phase && $0.cause == held.cause
      }
      return HeldKindView(
        kind: held.kind, phase: held.phase, cause: held.cause,
        clients: (seen?.clients ?? []).map { self[client: $0].config.name },
        waiting: pending(of: id).count { heldSignature($0)?.kind == held.kind },
        update: held.update, latch: held.latch)
    }
  }

  /// Kinds that wait for a representative, in order.
  func missingKinds(of id: CampaignID) -> [MissingKindView] {
    guard self[campaign: id].state == .active else { return [] }
    var counts: [ServerKind: Int] = [:]
    var mayCome: [ServerKind: Bool] = [:]
    for ref in pending(of: id) {
      guard let kind = missingRepresentative(ref) else { continue }
      counts[kind, default: 0] += 1
      mayCome[kind] = (mayCome[kind] ?? false) || representativeMayCome(kind, for: ref)
    }
    return counts.keys.sorted().map {
      MissingKindView(kind: $0, waiting: counts[$0] ?? 0, mayCome: mayCome[$0] ?? false)
    }
  }

  /// What kinds of servers wait for, one line each.
  func kindDecisions(of id: CampaignID) -> [String] {
    let held = heldKinds(of: id).map { held in
      "\(held.kind) is held (\(held.waiting) servers): release it"
        + (held.update.map { ", or exclude \($0)" } ?? "")
    }
    let missing = missingKinds(of: id).filter { !$0.mayCome }.map {
      "no \($0.kind) can complete in an earlier ring (\($0.waiting) servers): waive it"
    }
    return Array((held + missing).prefix(Limits.page))
  }

  private func pending(of id: CampaignID) -> [RunRef] {
    self[campaign: id].lanes.flatMap { lane in
      lane.queue.map { RunRef(campaign: id, index: Int($0)) }
    }
  }

  func inFlightViews(of client: ClientID, now: Instant) -> [InFlightView] {
    inFlight(of: client, now: now).map {
      InFlightView(
        campaign: self[campaign: $0.run.campaign].name, server: self[server: $0.server].config.name,
        phase: $0.phase, ends: $0.ends)
    }
  }
}

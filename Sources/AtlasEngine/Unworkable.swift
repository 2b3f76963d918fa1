import AtlasModel

/// What a person asks for that cannot work, whatever happens in the night.
extension ControlState {
  /// Refuses an end that is over, and one that can only be a slip of the pen.
  func checkEnd(_ end: Instant?, now: Instant) throws(Refusal) {
    guard let end else { return }
    guard end > now else { throw .past(field: "ends_at", end, now: now) }
    guard end - now <= Limits.campaignLength else {
      throw .invalid(
        field: "ends_at",
        message: "the campaign would end at \(end.words), and lasts at most "
          + "\(Limits.campaignLength.text); give an earlier end, or none")
    }
  }

  /// Refuses gates that must be good for longer than the campaign has left: what is behind them would
  /// never start. Whoever wants to open a gate by hand says `approval: manual`.
  func checkSoaks(of id: CampaignID, end: Instant, now: Instant) throws(Refusal) {
    let campaign = Int(id.index)
    for ring in campaigns[campaign].rings where ring.isShut {
      let soak = campaigns[campaign].gateRules[Int(ring.ring.number)].gateSoak
      guard (ring.soakingSince ?? now) + soak >= end else { continue }
      throw .invalid(
        field: "gates.\(ring.ring).gate_soak",
        message:
          "the gate behind ring \(ring.ring) must be good for \(soak.text), and the campaign "
          + "ends in \((end - now).text), so nothing behind it would start; write less than that, or "
          + "a later ends_at")
    }
  }

  /// The first of several names: `LAA, NOR and 12 more`.
  static func list(_ names: [String]) -> String {
    let shown = names.prefix(5).joined(separator: ", ")
    return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
  }
}

extension RingProgress {
  /// Its gate keeps others from starting, and has not soaked yet. One with nothing behind it is open.
  var isShut: Bool { gate != .open && !soaked && !promoted }
}

extension UpdateSet {
  /// Refuses what contradicts itself, and a cut-off that lets everything or nothing through.
  func check(now: Instant) throws(Refusal) {
    for (names, list) in [("include", include), ("required", required)] {
      guard let both = list.first(where: exclude.contains) else { continue }
      throw .invalid(
        field: "update_set.exclude",
        message: "\(both) is in \(names), too; leave it out of one of them")
    }
    guard let cutOff else { return }
    guard cutOff >= Limits.oldestCutOff else {
      throw .invalid(
        field: "update_set.cut_off",
        message: "no update is from before \(cutOff.words), so nothing would be installed; write "
          + "\(Limits.oldestCutOff.words) or later, or leave it out for the campaign's start")
    }
    guard cutOff - now <= Limits.cutOffAhead else {
      throw .invalid(
        field: "update_set.cut_off",
        message: "\(cutOff.words) is more than \(Limits.cutOffAhead.text) ahead, so it would hold "
          + "nothing back; write an earlier one, or leave it out for the campaign's start")
    }
  }
}

import AtlasModel

/// What a held run asks of people.
package enum HoldClass: String, CaseIterable, Hashable, Sendable {
  /// The server is not healthy, or nobody hears of it: somebody must be called.
  case down
  /// It runs as far as anybody knows, and nobody has proven it: it can stand in a list.
  case unverified = "up, unverified"
}

/// Who looks after a held run, and by when.
package struct HoldCare: Hashable, Sendable {
  /// Who has claimed it; empty for nobody.
  package var owner = ""
  /// When it should be over; nil when there was no such time ahead as it came to be held.
  package var deadline: Instant?
  /// The deadline has passed, and that is in the log.
  package var isOverdue = false

  package init() {}
}

extension Run {
  /// Nil for a run that is not held.
  package var holdClass: HoldClass? {
    guard case .held(let hold) = state else { return nil }
    switch hold {
    case .unhealthy, .lost, .rollbackFailed: return .down
    case .overdue: return details.content.heldIn?.phase == .reboot ? .down : .unverified
    case .agentStateLost: return .unverified
    }
  }

  /// Held, and not known to be up.
  package var isDown: Bool { holdClass == .down }
}

/// Owners and deadlines of held runs.
extension ControlState {
  /// A person takes a held run upon them, from another if need be.
  mutating func claim(_ ref: RunRef, by: String) throws(Refusal) {
    guard case .held = self[ref].state else {
      throw .notAllowed(
        code: .runState, message: "the run is \(self[ref].state.kind.word)",
        hint: "only a HELD run is claimed")
    }
    var care = self[ref].details.content.care ?? HoldCare()
    let before = care.owner
    guard before != by else { return }
    care.owner = by
    self[ref].details.content.care = care
    write(ref, .runClaimed, reason: before.isEmpty ? "" : "taken over from \(before)", by: by)
  }

  /// Gives a run that has just come to be held its deadline. Whoever had claimed it keeps it: it
  /// may have been held before, for another reason.
  mutating func setHoldDeadline(_ ref: RunRef, now: Instant) {
    var care = HoldCare()
    care.owner = self[ref].details.content.care?.owner ?? ""
    care.deadline = holdDeadline(ref, now: now)
    self[ref].details.content.care = care
    armHold(ref)
  }

  /// A customer wants a server back that is down when the window ends, and soon when no window is
  /// open; the rest is to be decided while the campaign lasts.
  private func holdDeadline(_ ref: RunRef, now: Instant) -> Instant? {
    guard self[ref].isDown else {
      return campaigns[Int(ref.campaign.index)].endsAt.flatMap { $0 > now ? $0 : nil }
    }
    let window = clients[Int(clientOf(ref).index)].windows.open(at: now)
    return window?.end ?? now + Limits.holdGrace
  }

  /// Watches over the deadline of a held run, unless it has passed and that was said.
  mutating func armHold(_ ref: RunRef) {
    guard let care = self[ref].details.content.care, !care.isOverdue, let at = care.deadline else {
      return
    }
    timers.add(.hold(ref), at: at)
  }

  mutating func holdFires(_ ref: RunRef, armedFor at: Instant) {
    guard var care = self[ref].details.content.care, care.deadline == at, !care.isOverdue else {
      return
    }
    care.isOverdue = true
    self[ref].details.content.care = care
    write(ref, .runHoldOverdue, reason: care.reminder(of: self[ref]))
  }
}

extension HoldCare {
  fileprivate func reminder(of run: Run) -> String {
    let end =
      run.isDown
      ? "the server should be up again by now" : "the campaign's time is up"
    return owner.isEmpty
      ? "\(end), and nobody has claimed it" : "\(end); \(owner) has claimed it"
  }
}

import AtlasCalendar
import AtlasModel

/// What each value says may be fine, and what they say together cannot work.
extension PolicyReader {
  mutating func checkTimes() {
    checkContact()
    let times = draft.policy.times
    checkProgress(times, "")
    for role in draft.roleTimes.keys.sorted() {
      guard let own = draft.roleTimes[role] else { continue }
      var ofRole = times
      for key in TimeKey.all { own[key.name].map { ofRole[keyPath: key.path] = $0 } }
      checkProgress(ofRole, "roles.\(role).")
    }
  }

  /// The lock must outlast the silence between two questions of a polling agent.
  private mutating func checkContact() {
    let (interval, lock) = (draft.policy.checkInterval, draft.policy.clientLockTimeout)
    guard lock < interval * 2 else { return }
    let key = ["client_lock_timeout", "check_interval"].first { draft.explicit.contains($0) }
    refuse(
      key.flatMap { draft.places[$0]?.line } ?? 0, key ?? "client_lock_timeout",
      "client_lock_timeout is \(lock.text) and check_interval \(interval.text), so a server would "
        + "count as lost between two questions of its agent",
      hint: "write client_lock_timeout: \((interval * 2).text) or more")
  }

  /// An installer is worth a look before it is overdue, or never is. Whoever has only made the
  /// installation shorter is told and not stopped: nothing breaks.
  /// - Parameter level: In front of the keys: empty, or `roles.SQL.`.
  private mutating func checkProgress(_ times: PhaseTimes, _ level: String) {
    guard times.noProgress >= times.update else { return }
    let (progress, update) = ("\(level)no_progress_timeout", "\(level)update_timeout")
    let message =
      "no_progress_timeout is \(times.noProgress.text) and update_timeout \(times.update.text), so "
      + "an installer is overdue before its silence is worth a look"
    let hint = "write \(progress): \((times.update / 2).text), or less"
    if let place = draft.places[progress] {
      refuse(place.line, progress, message, hint: hint)
    } else if let place = draft.places[update] {
      diagnostics.warning(at: place, field: update, message, hint: hint, client: client)
    }
  }

  /// Windows of the campaign's own are read in each client's zone, and the clocks furthest behind
  /// are twelve hours after UTC.
  mutating func checkOpenings(_ windows: MaintenanceWindow?, _ line: Int) {
    guard let now, let windows else { return }
    do throws(WindowError) {
      try WindowCalendar.demandOpenings(of: windows, zone: "UTC", after: now - .seconds(12 * 3_600))
    } catch {
      refuse(line, PolicyKey.windowsName, error.message, hint: error.hint)
    }
  }

  /// A gate of its own behind a ring that nobody is in, or that nobody comes after.
  mutating func warnOfGate(behind ring: Ring, _ line: Int) {
    guard let rings = names?.rings, !rings.isEmpty else { return }
    var gate = Policy.defaultGate(ring)
    for key in GateKey.all {
      guard let text = draft.gates[ring]?[key.name] else { continue }
      try? key.set(&gate, text)
    }
    // What is as usual is in every template.
    guard gate != Policy.defaultGate(ring) else { return }
    let problem =
      if !rings.contains(ring) {
        "no client is in ring \(ring)"
      } else if !rings.contains(where: { $0 > ring }) {
        "no client is in a ring behind ring \(ring)"
      } else {
        ""
      }
    guard !problem.isEmpty else { return }
    diagnostics.warning(
      at: place(line), field: "gates", "\(problem), so this does nothing",
      hint: "rings with clients: \(rings.sorted().map(\.description).joined(separator: ", "))",
      client: nil)
  }
}

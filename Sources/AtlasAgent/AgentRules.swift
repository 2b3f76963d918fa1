import AtlasModel

/// The agent's own floor: what its server's owner forbids, whatever a daemon asks for.
package struct AgentRules: Hashable, Sendable {
  /// Stretches of the day in which UPDATE and REBOOT may begin; empty allows every hour.
  package var hours: [DailyHours]
  /// Commands that are never carried out here.
  package var forbidden: [CommandKind]
  /// The first UPDATE of an attempt needs a backup that is no older than this when the order comes;
  /// nil asks for none.
  package var backupWithin: Duration?

  package init(
    hours: [DailyHours] = [], forbidden: [CommandKind] = [], backupWithin: Duration? = nil
  ) {
    self.hours = hours
    self.forbidden = forbidden
    self.backupWithin = backupWithin
  }

  /// Why `command` must not be taken at `now`, in words for a person; nil when it may.
  package func refusal(of command: Command, now: Instant) -> String? {
    if forbidden.contains(command.kind) {
      return "this server's own rules forbid \(command.kind.word)"
    }
    guard command.kind == .update, command.pass <= 1, let backupWithin else { return nil }
    let rule = "this server's own rules ask for a backup of the last \(backupWithin.text)"
    guard let takenAt = command.backupTakenAt else { return rule + ", and the order names none" }
    return now - takenAt <= backupWithin ? nil : rule + ", and the order names an older one"
  }

  /// Why `command` must not begin at `now`, in words for a person; nil when it may. It is asked when
  /// it begins: it may have waited for hours.
  package func refusal(toBegin command: Command, now: Instant) -> String? {
    let interrupts = command.kind == .update || command.kind == .reboot
    guard interrupts, !hours.isEmpty, !hours.contains(where: { $0.contains(now) }) else {
      return nil
    }
    return "this server's own rules forbid \(command.kind.word) at this hour"
  }
}

extension AgentRules {
  /// What they forbid.
  package var refusals: [ExpectedRefusal] {
    let never = forbidden.map {
      ExpectedRefusal(kind: $0, reason: "this server's own rules forbid \($0.word)")
    }
    guard !hours.isEmpty else { return never }
    let spans = hours.map(\.description).joined(separator: ", ")
    let interrupting = [CommandKind.update, .reboot].filter { !forbidden.contains($0) }
    return never
      + interrupting.map {
        ExpectedRefusal(
          kind: $0, atSomeHours: true,
          reason: "this server's own rules allow \($0.word) at \(spans) UTC only")
      }
  }
}

/// A stretch of every day, in minutes after midnight UTC; the end is not inside. An end at or
/// before the start is on the next day.
package struct DailyHours: Hashable, Sendable, CustomStringConvertible {
  package var startMinute: Int
  package var endMinute: Int

  package init(startMinute: Int, endMinute: Int) {
    self.startMinute = startMinute
    self.endMinute = endMinute
  }

  /// `22:00-06:00`.
  package var description: String { "\(Self.words(startMinute))-\(Self.words(endMinute))" }

  private static func words(_ minute: Int) -> String {
    let (hours, minutes) = minute.quotientAndRemainder(dividingBy: 60)
    return "\(hours < 10 ? "0" : "")\(hours):\(minutes < 10 ? "0" : "")\(minutes)"
  }

  package func contains(_ instant: Instant) -> Bool {
    let (quotient, rest) = instant.milliseconds.quotientAndRemainder(dividingBy: 60_000)
    let minute = Int((rest < 0 ? quotient - 1 : quotient) % 1_440 + 1_440) % 1_440
    return startMinute < endMinute
      ? (startMinute..<endMinute).contains(minute) : minute >= startMinute || minute < endMinute
  }
}

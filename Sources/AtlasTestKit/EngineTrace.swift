import AtlasEngine
import AtlasModel

/// Writes what an ``EngineWorld`` sees, one line for each record, command, hook and answer.
struct EngineTrace: Sendable {
  private(set) var lines: [String] = []
  let start: Instant

  init(start: Instant) { self.start = start }

  mutating func say(_ text: String, at now: Instant) {
    lines.append("\(time(now))  \(text)".trimmingTrailingSpaces)
  }

  private func time(_ now: Instant) -> String {
    let seconds = (now - start).milliseconds / 1_000
    let parts = [seconds / 3_600, seconds / 60 % 60, seconds % 60]
    return parts.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
  }

  mutating func record(_ record: Record, in state: ControlState, at now: Instant) {
    var words = [record.kind.rawValue.padded(to: 20), subject(of: record, in: state)]
    if let from = record.from, let to = record.to, from != to {
      words.append("\(from.word) -> \(to.word)")
    } else if let to = record.to {
      words.append(to.word)
    }
    if let phase = record.phase { words.append(phase.word) }
    if !record.detail.isEmpty { words.append("{\(record.detail)}") }
    if let attempt = record.attempt, attempt > 1 { words.append("attempt \(attempt)") }
    if let pass = record.pass, pass > 1 { words.append("pass \(pass)") }
    if let fence = record.fence { words.append("#\(fence.number)") }
    if !record.principal.isEmpty { words.append("by \(record.principal)") }
    if !record.reason.isEmpty { words.append("“\(record.reason)”") }
    say(words.joined(separator: " "), at: now)
  }

  private func subject(of record: Record, in state: ControlState) -> String {
    if let server = record.server {
      let name = state[server: server].config.name.text
      guard let campaign = record.campaign, let run = record.run,
        state[campaign: campaign].runs[Int(run)].retryOf >= 0
      else { return name }
      return "\(name) (run \(run + 1))"
    }
    let campaign = record.campaign.map { state[campaign: $0].name.text } ?? "fleet"
    if let client = record.client {
      let name = state[client: client].config.name.text
      return record.campaign == nil ? name : "\(campaign) \(name)"
    }
    return record.ring.map { "\(campaign) ring \($0)" } ?? campaign
  }

  /// An order that goes out.
  mutating func order(_ text: String, at now: Instant) { say("    -> \(text)", at: now) }
  /// An answer that comes in.
  mutating func answer(_ text: String, at now: Instant) { say("    <- \(text)", at: now) }
  /// Something that happens in the world.
  mutating func event(_ text: String, at now: Instant) { say("    ** \(text)", at: now) }
}

extension String {
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }

  fileprivate var trimmingTrailingSpaces: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}

extension CommandReport {
  var words: String {
    switch event {
    case .progress(let progress): progress.changed ? "the first install begins" : "progress"
    case .result(let result): result.words
    }
  }
}

extension CommandResult {
  fileprivate var words: String {
    var words = ["\(status)"]
    if !code.isEmpty { words.append(code) }
    if !message.isEmpty { words.append(message) }
    if rebootRequired { words.append("wants a reboot") }
    if moreUpdates { words.append("more to install") }
    for update in updates where update.outcome != .installed {
      words.append("\(update.update) \(update.outcome.word)")
    }
    if let health, !health.healthy { words.append("not healthy: \(health.problems.joined())") }
    if status == .failed, retryable { words.append("retryable") }
    return words.joined(separator: ", ")
  }
}

extension CommandAcknowledgement {
  var words: String {
    switch verdict {
    case .accepted: "accepted"
    case .stale: "stale"
    case .refused: "refused: \(message)"
    }
  }
}

extension HookVerdict {
  var words: String {
    switch self {
    case .ok(let backup, let snapshot):
      "ok" + (backup == nil ? "" : ", backup") + (snapshot == nil ? "" : ", snapshot")
    case .skip(let message): "skip: \(message)"
    case .deferred(let after, let reason): "defer\(after.map { " " + $0.text } ?? ""): \(reason)"
    case .fail(let message, let retryable): "fail\(retryable ? " (retryable)" : ""): \(message)"
    case .error(let message): "error: \(message)"
    case .timeout(let message): "timeout: \(message)"
    case .cancelled: "cancelled"
    case .next(let name): "next: \(name)"
    case .notDefined: "not defined"
    case .left(_, let verdict): "\(verdict.words), snapshot left"
    }
  }
}

import AtlasModel
import AtlasStore

/// What the records say about the campaign itself.
package struct CampaignCourse: Hashable, Sendable {
  /// Who made it; nil while no record says so, as with the others.
  package var author: String?
  package var startedAt: Instant?
  /// In the words of the log, from its start on.
  package var state: String?
  package var endedAt: Instant?
  /// Of the newest record of the campaign while it ran.
  package var lastAt: Instant?

  package init() {}

  /// Takes the next record of the campaign.
  mutating func take(_ record: LogRecord) {
    if endedAt == nil { lastAt = max(lastAt ?? record.campaignTime, record.campaignTime) }
    switch record.kind {
    case "campaign.created": author = author ?? record.principal
    case "campaign.started":
      startedAt = record.campaignTime
      state = "ACTIVE"
    case "campaign.cancelling": state = "CANCELLING"
    case "campaign.ended":
      state = record.detail
      endedAt = record.campaignTime
    case _: break
    }
  }

  /// What is wrong with the moment up to which evidence tells, as the rest of a sentence about it;
  /// nil when nothing is.
  package func objection(toUntil until: Instant) -> String? {
    if let endedAt {
      return until == endedAt
        ? nil : "is \(until.words), and the campaign ended at \(endedAt.words)"
    }
    guard let lastAt, until < lastAt else { return nil }
    return "is \(until.words), and there is a record of \(lastAt.words)"
  }
}

extension EvidenceTrail {
  /// What speaks against an interval that no record tells of, as the rest of a sentence about it;
  /// nil when it may be. Two are: an absence that is not over, and the slot of another campaign
  /// that was taken before this one began, and is kept still.
  package func objection(to interval: DownInterval, of place: Place) -> String? {
    guard interval.end == nil, interval.steps.isEmpty else { return "is in no record" }
    // Evidence may be written in the instant in which the campaign begins.
    guard interval.start == since || interval.start > since && interval.start < until else {
      return "begins at \(interval.start.words), outside of the campaign's time"
    }
    switch interval.cause {
    case .away: return objection(toAbsenceSince: interval.start, of: place)
    case .workedOn(let run): return objection(toHolder: run, interval.start, of: [place])
    case .guest(let host, let run):
      return objection(
        toHolder: run, interval.start, of: places.filter { $0.server == host })
    }
  }

  /// Whether a record shows that the agent of its server was there: without it nothing is started.
  func isSeen(by record: LogRecord) -> Bool {
    record.kind == "server.back" || record.kind == "run.started"
  }

  private func objection(toAbsenceSince start: Instant, of place: Place) -> String? {
    guard let seen = lastSeen[place], seen > start else { return nil }
    return "cannot be: its agent was there at \(seen.words)"
  }

  /// - Parameter owners: The server that is said to be worked on, with each client that it had.
  private func objection(
    toHolder run: RunName, _ start: Instant, of owners: [Place]
  ) -> String? {
    if run.campaign == campaign || run.campaign.isEmpty || run.number < 1 || knows(run) {
      return "is in no record of \(run)"
    }
    guard start == since else {
      return "begins at \(start.words), and would have a record of its begin"
    }
    // A server is in one running campaign at most, and that one has it from before to the end.
    for owner in owners {
      for other in intervals(of: owner) {
        guard case .workedOn(let another) = other.cause, another != run else { continue }
        return "cannot be: \(another) had the slot meanwhile"
      }
    }
    return nil
  }
}

extension UpdateEvidence {
  /// What speaks against what changes are said to rely on, in sentences.
  /// - Parameter updates: Of one server, in order.
  package static func objections(
    to updates: [(run: Int, beganAt: Instant, checkedAt: Instant)]
  ) -> [String] {
    updates.enumerated().compactMap { index, update in
      let later = updates[(index + 1)...].first { $0.run == update.run }
      if let later, update.checkedAt >= later.beganAt {
        return "the update of \(update.beganAt.words) was followed by another at "
          + "\(later.beganAt.words), before what it relied on was looked at"
      }
      let earlier = updates[..<index].last { $0.run == update.run }
      if let earlier, update.checkedAt < earlier.checkedAt {
        return "the update of \(update.beganAt.words) relies on what was looked at before the one "
          + "that precedes it was"
      }
      return nil
    }
  }
}

/// The hooks that a campaign pinned, and what a run of one of them must say.
package struct PinnedHooks: Hashable, Sendable {
  /// Empty for a campaign without hooks.
  package var revision: String
  /// SHA-256 in hexadecimal, by path; none when the files are not kept any more.
  package private(set) var sums: [String: String] = [:]

  package init(revision: String) { self.revision = revision }

  /// - Returns: What is wrong with one more file, as a sentence; nil when nothing is.
  package mutating func add(_ path: String, sha256: String) -> String? {
    if revision.isEmpty { return "\(path) is a hook file, and the campaign pinned no hooks" }
    if sums[path] != nil { return "\(path) comes twice" }
    sums[path] = sha256
    return nil
  }

  /// What is wrong with a run of a hook, as a sentence; nil when nothing is.
  package func objection(toRunOf file: String, sha256: String, revision: String) -> String? {
    if revision != self.revision {
      return "it ran with the hooks of revision “\(revision)”, and the campaign pinned "
        + "“\(self.revision)”"
    }
    if sums.isEmpty {
      return sha256.isEmpty ? nil : "it names the sum of \(file), and no hook file is listed"
    }
    guard let sum = sums[file] else { return "\(file) is not among the hook files" }
    return sum == sha256 ? nil : "it names the sum \(sha256) of \(file), which has \(sum)"
  }
}

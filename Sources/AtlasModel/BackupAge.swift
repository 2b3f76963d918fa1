/// How young a backup must be to count: at most so old, of the server's newest backup job, or both.
///
/// There is no value that asks for nothing: who asks for nothing has none.
package struct BackupAge: Hashable, Sendable {
  /// The oldest backup that counts; nil when only the newest job matters.
  package let longest: Duration?
  /// It must come from the newest backup job of the server, however old that is.
  package let isOfLastJob: Bool

  /// - Returns: Nil when neither is asked for.
  package init?(longest: Duration?, isOfLastJob: Bool) {
    guard longest != nil || isOfLastJob else { return nil }
    self.longest = longest
    self.isOfLastJob = isOfLastJob
  }

  private init(_ longest: Duration?, _ isOfLastJob: Bool) {
    self.longest = longest
    self.isOfLastJob = isOfLastJob
  }

  package static func atMost(_ longest: Duration) -> BackupAge { BackupAge(longest, false) }

  package static let sinceLastJob = BackupAge(nil, true)

  /// Both what this asks for and what `other` does.
  package func tightened(by other: BackupAge?) -> BackupAge {
    guard let other else { return self }
    return BackupAge(
      [longest, other.longest].compactMap { $0 }.min(), isOfLastJob || other.isOfLastJob)
  }
}

/// As people write it: `24h`, `since_last_job`, or `since_last_job and 24h`.
extension BackupAge {
  private static let lastJob = "since_last_job"
  private static let both = lastJob + " and "

  /// - Throws: ``DurationTextError`` naming what was read in the place of a duration.
  package init(text: String) throws(DurationTextError) {
    if text == Self.lastJob {
      self = .sinceLastJob
    } else if text.hasPrefix(Self.both) {
      self.init(try Duration(text: String(text.dropFirst(Self.both.count))), true)
    } else {
      self = .atMost(try Duration(text: text))
    }
  }

  /// The text that reads back as this.
  package var text: String {
    guard let longest else { return Self.lastJob }
    return isOfLastJob ? Self.both + longest.text : longest.text
  }
}

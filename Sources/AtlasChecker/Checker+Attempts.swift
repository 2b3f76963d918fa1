/// Other attempts (S7): people may have them at any time; Atlas goes on by itself only after a failure
/// that may pass, and never after a rollback.
extension Checker {
  /// What was last said about the work on a server.
  struct FailureModel {
    /// The newest order that was reported on.
    var fence: UInt64 = 0
    /// Whether it failed in a way that may pass; nil when it did not fail.
    var mayPass: Bool?
  }

  /// The result of an order has reached the daemon, for the first time or again.
  ///
  /// - Parameter mayPass: It is a failure, and may pass; nil for a good result.
  package mutating func reported(_ fence: UInt64, of server: String, mayPass: Bool?) {
    guard let known = failures[server] else {
      failures[server] = FailureModel(fence: fence, mayPass: mayPass)
      return
    }
    // What is said again has been thought about.
    if fence > known.fence { failures[server] = FailureModel(fence: fence, mayPass: mayPass) }
  }

  /// A hook has said whether a server is well after its update.
  package mutating func hookJudged(_ server: String, mayPass: Bool?) {
    failures[server, default: FailureModel()].mayPass = mayPass
  }

  /// A server is to be tried again, after a wait.
  mutating func judgeBackoff(_ record: RecordFact) {
    guard record.kind == "run.backoff", record.to == "IN_PROGRESS",
      failures[record.server]?.mayPass == false, !isAmbiguous(record.server)
    else { return }
    fail("S7", "\(record.server) is tried again by itself, and has failed for good")
  }

  mutating func judgeAttempts(_ record: RecordFact) {
    guard record.kind == "run.retried", let number = record.run else { return }
    let key = LogModel.RunKey(campaign: record.campaign, number: number)
    guard let run = log.runs[key], let campaign = campaign(of: key) else { return }
    if run.attempt > 1 + campaign.maxRetries + run.granted {
      fail(
        "S7",
        "\(record.server) is at attempt \(run.attempt), and \(campaign.maxRetries) "
          + "retries were allowed and \(run.granted) granted")
    }
  }
}

import AtlasHooks
import AtlasModel

/// `ok`, `skip`, `defer`, `fail`, and the facts that count.
extension HookRun {
  /// Keeps the outcome; the script unwinds from here.
  func ended(_ outcome: HookOutcome) throws(CallProblem) -> LuaAnswer {
    guard self.outcome == nil else { throw .misuse("the hook has already ended") }
    self.outcome = outcome
    return .end
  }

  func ok(_ request: LuaRequest) throws(CallProblem) -> HookOutcome {
    guard case .text(let data) = request[1] else {
      return .ok(message: message(request[0]), data: nil)
    }
    guard data.count <= HookLimits.outcomeData else {
      throw .misuse("data takes more than \(HookLimits.outcomeData / 1_024) KiB as JSON")
    }
    return .ok(message: message(request[0]), data: data)
  }

  func skip(_ request: LuaRequest) throws(CallProblem) -> HookOutcome {
    try allow([.preUpdate])
    return .skip(message: message(request[0]))
  }

  func deferred(_ request: LuaRequest) throws(CallProblem) -> HookOutcome {
    try allow([.preUpdate, .verifyBackup, .peerCheck])
    var options = try Options(request[0])
    let after = try options.duration("after")
    guard let reason = try options.text("reason") else { throw .misuse("reason is missing") }
    try options.finish()
    return .deferred(after: after, reason: reason.bounded())
  }

  func fail(_ request: LuaRequest) throws(CallProblem) -> HookOutcome {
    var options = try Options(request[1])
    let retryable = try options.flag("retryable")
    try options.finish()
    return .fail(message: message(request[0]), retryable: retryable)
  }

  private func message(_ value: LuaValue) -> String { (value.string ?? "").bounded() }

  private func allow(_ points: [HookPoint]) throws(CallProblem) {
    guard !points.contains(invocation.point) else { return }
    let names = points.map(\.rawValue).joined(separator: " and ")
    throw .misuse("it is for \(names), not for \(invocation.point.rawValue)")
  }

  // MARK: Facts

  func record(_ fact: HookEvidence) throws(CallProblem) -> LuaAnswer {
    guard evidence.count < HookLimits.evidence else {
      throw .misuse("more than \(HookLimits.evidence) facts in one run")
    }
    evidence.append(fact)
    return .done
  }

  func backup(_ request: LuaRequest) throws(CallProblem) -> HookEvidence {
    var options = try Options(request[0])
    guard let source = try options.text("source"), !source.isEmpty else {
      throw .misuse("source is missing: what took the backup")
    }
    guard let takenAt = try options.instant("taken_at") else {
      throw .misuse("taken_at is missing")
    }
    let verifiedAt = try options.instant("verified_at")
    let restoreTestedAt = try options.instant("restore_tested_at")
    let lastJobAt = try options.instant("last_job_at")
    try options.finish()
    return .backup(
      source: source.bounded(to: 256), takenAt: takenAt, verifiedAt: verifiedAt,
      restoreTestedAt: restoreTestedAt, lastJobAt: lastJobAt)
  }

  func snapshot(_ request: LuaRequest) throws(CallProblem) -> HookEvidence {
    var options = try Options(request[0])
    guard let id = try options.text("id"), !id.isEmpty, id.utf8.count <= 256 else {
      throw .misuse("id must be a text of 1 to 256 bytes")
    }
    let takenAt = try options.instant("taken_at") ?? ports.clock.now()
    try options.finish()
    return .snapshot(id: id.bounded(to: 256), takenAt: takenAt)
  }
}

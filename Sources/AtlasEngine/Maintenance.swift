import AtlasModel

/// What `enter_maintenance` began and `leave_maintenance` has not ended: monitoring is quiet, load
/// balancers send nothing, backup jobs wait.
package struct Maintenance: Hashable, Sendable {
  package let since: Instant
  /// The hooks are told to let it end by itself then, whatever becomes of Atlas.
  package let expiresAt: Instant
  /// Leaves that failed.
  package var tries: UInt8 = 0
  /// Nobody tries any more: it lasts until it expires, or a person ends it.
  package var remains = false

  package init(since: Instant, expiresAt: Instant, tries: UInt8 = 0, remains: Bool = false) {
    self.since = since
    self.expiresAt = expiresAt
    self.tries = tries
    self.remains = remains
  }
}

/// `enter_maintenance` and `leave_maintenance` are a pair (§10): for every enter that began there
/// is one leave, on every way out of the slot. Enter is the first step of SNAPSHOT: nothing of
/// PRE_CHECK, which a stop cancels midway, can leave it half done, and what the hooks there refuse
/// never entered. Leave is the last step of FINALIZE, when everything else is cleaned up.
extension ControlState {
  mutating func enterMaintenance(_ ref: RunRef, now: Instant) {
    let needed = now + timeNeeded(by: ref)
    let end = windows(of: ref).open(at: now).map { max($0.end, needed) } ?? needed
    self[ref].details.content.maintenance = Maintenance(
      since: now, expiresAt: end + Limits.maintenanceMargin)
    startHook(ref, .enterMaintenance, now: now)
  }

  /// Whether a leave is owed.
  func isInMaintenance(_ ref: RunRef) -> Bool {
    self[ref].details.content.maintenance.map { !$0.remains } ?? false
  }

  /// Until when the maintenance of a run is to last at most; nil for other hooks.
  func expiry(_ ref: RunRef, _ point: HookPoint) -> Instant? {
    switch point {
    case .enterMaintenance, .leaveMaintenance: self[ref].details.content.maintenance?.expiresAt
    case .orderGroup, .peerCheck, .preUpdate, .verifyBackup, .snapshot, .postUpdate, .finalize,
      .rollback:
      nil
    }
  }

  mutating func enterFinished(_ ref: RunRef, _ verdict: HookVerdict, now: Instant) {
    switch verdict {
    case .ok: entered(ref, now: now)
    case .notDefined:
      self[ref].details.content.maintenance = nil
      entered(ref, now: now)
    case .skip(let message), .deferred(_, let message), .fail(let message, _),
      .error(let message), .timeout(let message):
      refuse(ref, .hook, "enter_maintenance: \(message)", now: now)
    case .cancelled: refuse(ref, .hook, "enter_maintenance: the hook was cancelled", now: now)
    case .next: preconditionFailure("a server is named in PENDING only")
    case .left(_, let verdict): enterFinished(ref, verdict, now: now)
    }
  }

  /// On to the snapshot, or back to one; under a stop neither is begun.
  private mutating func entered(_ ref: RunRef, now: Instant) {
    if let skip = leaving(ref) { return leaveOut(ref, skip, now: now) }
    if isStopped(ref) { return giveBack(ref, now: now) }
    if isUndo(ref) { return beginUndo(ref, now: now) }
    advance(ref, to: .hook(.snapshot))
    startHook(ref, .snapshot, now: now)
  }

  /// Leaves, if that is owed, and ends the run after it. From FINALIZE.
  mutating func leaveMaintenance(_ ref: RunRef, then ending: Ending, now: Instant) {
    guard isInMaintenance(ref), !Plant.leaveForgotten.isOn else {
      return end(ref, ending, now: now)
    }
    self[ref].command = nil
    advance(ref, to: .hook(.leaveMaintenance))
    startHook(ref, .leaveMaintenance, now: now)
  }

  /// Goes to FINALIZE for nothing but leaving: there is no snapshot to remove.
  mutating func finalizeMaintenance(
    _ ref: RunRef, _ ending: Ending, reason: String = "", now: Instant
  ) {
    self[ref].command = nil
    move(
      ref, to: .inProgress(Work(.finalize, .hook(.leaveMaintenance), ending: ending)), .runPhase,
      now: now, reason: reason)
    startHook(ref, .leaveMaintenance, now: now)
  }

  /// The wait after a leave that failed is over.
  mutating func leaveAgain(_ ref: RunRef, now: Instant) {
    advance(ref, to: .hook(.leaveMaintenance))
    startHook(ref, .leaveMaintenance, now: now)
  }

  mutating func leaveFinished(
    _ ref: RunRef, _ work: Work, _ verdict: HookVerdict, now: Instant
  ) {
    guard let ending = work.ending else { preconditionFailure("FINALIZE knows where it leads") }
    switch verdict {
    case .ok:
      self[ref].details.content.maintenance = nil
      end(ref, ending, now: now)
    case .notDefined:
      giveUpLeaving(ref, ending, "there is no leave_maintenance hook", now: now)
    case .skip(let message), .deferred(_, let message), .fail(let message, _),
      .error(let message), .timeout(let message):
      leaveFailed(ref, ending, message, now: now)
    case .cancelled: leaveFailed(ref, ending, "the hook was cancelled", now: now)
    case .next: preconditionFailure("a server is named in PENDING only")
    case .left(_, let verdict): leaveFinished(ref, work, verdict, now: now)
    }
  }

  private mutating func leaveFailed(
    _ ref: RunRef, _ ending: Ending, _ message: String, now: Instant
  ) {
    let tries = (self[ref].details.content.maintenance?.tries ?? 0) + 1
    self[ref].details.content.maintenance?.tries = tries
    guard tries < Limits.leaveTries else {
      return giveUpLeaving(ref, ending, message, now: now)
    }
    let wait = Limits.leaveWait * (1 << (Int(tries) - 1))
    warn(ref, "leave_maintenance: \(message); again in \(wait.text)".bounded())
    advance(ref, to: .backoff)
    arm(ref, at: now + wait)
  }

  /// The server is well and its lane goes on: a monitoring system that does not answer is no reason
  /// to keep a slot at night. It is not simply COMPLETED either, and stands in the report.
  private mutating func giveUpLeaving(
    _ ref: RunRef, _ ending: Ending, _ message: String, now: Instant
  ) {
    self[ref].details.content.maintenance?.remains = true
    let until = self[ref].details.content.maintenance.map { " until \($0.expiresAt.words)" } ?? ""
    warn(ref, "maintenance remains\(until): \(message)".bounded())
    guard case .completed = ending else { return end(ref, ending, now: now) }
    end(ref, .completed(.withExceptions), now: now)
  }
}

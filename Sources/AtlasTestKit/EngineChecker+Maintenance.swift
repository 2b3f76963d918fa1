import AtlasEngine
import AtlasModel

/// A ledger of enters and leaves: for every enter one leave, or a warning that it remains.
extension EngineChecker {
  struct MaintenanceTruth {
    /// An enter began, and no leave has ended well since.
    var isIn = false
    /// Leaves that were begun since, those that a new daemon began again aside.
    var leaves = 0
    /// No such hook is there: nobody can leave.
    var hasNoLeave = false
  }

  mutating func noteStart(_ start: HookStart) {
    guard let truth = runs[start.run]?.maintenance else { return }
    switch start.point {
    case .enterMaintenance:
      if start.expires == nil { report("\(name(start.run)) enters maintenance for ever") }
      if start.restarted {
        if !truth.isIn { report("\(name(start.run)) enters maintenance again without having") }
        return
      }
      if truth.isIn { report("\(name(start.run)) enters maintenance twice") }
      runs[start.run]?.maintenance = MaintenanceTruth(isIn: true)
    case .leaveMaintenance:
      if !truth.isIn { report("\(name(start.run)) leaves maintenance that it is not in") }
      if !start.restarted { runs[start.run]?.maintenance.leaves += 1 }
    case .orderGroup, .peerCheck, .preUpdate, .verifyBackup, .snapshot, .postUpdate, .finalize,
      .rollback:
      if start.point == .snapshot, truth.leaves > 0, truth.isIn {
        report("\(name(start.run)) goes on while it leaves maintenance")
      }
    }
  }

  mutating func noteEnd(_ point: HookPoint, _ verdict: HookVerdict, of ref: RunRef) {
    switch (point, verdict) {
    case (.enterMaintenance, .notDefined), (.leaveMaintenance, .ok):
      runs[ref]?.maintenance.isIn = false
    case (.leaveMaintenance, .notDefined): runs[ref]?.maintenance.hasNoLeave = true
    case _: break
    }
  }

  /// Nothing is over before it has left, or three leaves have failed and people were told.
  mutating func checkMaintenance(_ ref: RunRef, _ record: Record, _ to: RunState.Kind) {
    guard let truth = runs[ref]?.maintenance, truth.isIn else { return }
    if record.kind == .runWarning, record.reason.hasPrefix("maintenance remains") {
      if truth.leaves < 3, !truth.hasNoLeave {
        report("\(name(ref)) gives maintenance up after \(truth.leaves) leaves")
      }
      runs[ref]?.maintenance.isIn = false
    } else if to == .pending || to.isTerminal {
      report("\(name(ref)) is \(to.word), and has not left maintenance")
    } else if record.detail == Completion.updated.rawValue {
      report("\(name(ref)) is simply completed, and maintenance remains")
    }
  }
}

/// A point of a run at which the daemon calls operator-written Lua.
///
/// The raw value is the function's name in a hook file.
package enum HookPoint: String, CaseIterable, Hashable, Sendable {
  /// Before a slot is taken: which member of the server's group is next?
  case orderGroup = "order_group"
  /// Before a slot is taken: are the server's peers well now?
  case peerCheck = "peer_check"
  /// First in PRE_CHECK: may the server be touched at all?
  case preUpdate = "pre_update"
  /// Second in PRE_CHECK: is there a backup, and is it good?
  case verifyBackup = "verify_backup"
  /// First in SNAPSHOT: quiet the monitoring, drain the load balancer, suspend backup jobs.
  case enterMaintenance = "enter_maintenance"
  /// Last in FINALIZE, once for every enter that began: undo what that did.
  case leaveMaintenance = "leave_maintenance"
  /// SNAPSHOT: take one, and say which.
  case snapshot
  /// POST_CHECK and VERIFY: is the service back?
  case postUpdate = "post_update"
  /// FINALIZE: clean up.
  case finalize
  /// ROLLBACK: bring the server back to what it was.
  case rollback
}

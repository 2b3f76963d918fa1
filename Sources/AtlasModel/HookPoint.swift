/// A point of a run at which the daemon calls operator-written Lua.
///
/// The raw value is the function's name in a hook file.
package enum HookPoint: String, CaseIterable, Hashable, Sendable {
  /// First in PRE_CHECK: may the server be touched at all?
  case preUpdate = "pre_update"
  /// Second in PRE_CHECK: is there a backup, and is it good?
  case verifyBackup = "verify_backup"
  /// SNAPSHOT: take one, and say which.
  case snapshot
  /// POST_CHECK and VERIFY: is the service back?
  case postUpdate = "post_update"
  /// FINALIZE: clean up.
  case finalize
  /// ROLLBACK: bring the server back to what it was.
  case rollback
}

import AtlasModel

/// Runs hook functions. Many at once; nothing is shared between two of them.
package protocol HookRunner: Sendable {
  /// Runs one function to its end. Never throws: whatever goes wrong is an outcome.
  ///
  /// At least once: after a crash of the daemon the same invocation comes again, with
  /// ``HookInvocation/restarted``. Cancelling the task ends it soon, with
  /// ``HookError/Kind/cancelled``.
  func run(_ invocation: HookInvocation) async -> HookReport

  /// Ends the runs with this key soon, with ``HookError/Kind/cancelled``. Returns at once; a key
  /// that does not run is ignored.
  func cancel(key: String)

  /// Whether the client's file or `default.lua` has the function, in the current revision.
  func defines(_ point: HookPoint, client: ClientName) -> Bool

  /// The revision that a campaign which starts now would pin; nil before the first was loaded.
  var currentRevision: HookRevisionID? { get }
}

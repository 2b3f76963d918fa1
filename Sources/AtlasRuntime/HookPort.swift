import AtlasControl
import AtlasEngine
import AtlasStore

/// Runs hooks for the pump. Cancelling the task of ``run(_:)`` or calling ``cancel(_:)`` makes it
/// end soon, with ``HookVerdict/cancelled``.
package protocol HookPort: Sendable {
  /// Runs one hook function to its end.
  /// - Returns: what it said, and its row for the audit; no row for a function that is not
  ///   defined.
  func run(_ order: HookOrder) async -> (HookVerdict, HookRunRow?)
  func cancel(_ ticket: HookTicket)
}

/// A daemon without a hook directory: no function is defined.
package struct NoHooks: HookPort {
  package init() {}
  package func run(_ order: HookOrder) async -> (HookVerdict, HookRunRow?) { (.notDefined, nil) }
  package func cancel(_ ticket: HookTicket) {}
}

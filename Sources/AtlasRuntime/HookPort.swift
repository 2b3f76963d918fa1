import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasStore

/// Runs hooks for the pump. Cancelling the task of ``run(_:)`` or calling ``cancel(_:)`` makes it
/// end soon, with ``HookVerdict/cancelled``.
package protocol HookPort: Sendable {
  /// Says that ``run(_:)`` will be called for a ticket: from now on it can be cancelled.
  func announce(_ ticket: HookTicket)
  /// Runs one hook function to its end.
  /// - Returns: what it said, and its row for the audit; no row for a function that is not
  ///   defined.
  func run(_ order: HookOrder) async -> (HookVerdict, HookRunRow?)
  func cancel(_ ticket: HookTicket)
  /// Runs one hook function with real reads and writes that are only logged. Leaves no row.
  func dryRun(_ order: HookOrder) async -> HookVerdict
  /// Whether the hooks of now have a function for a client.
  func defines(_ point: HookPoint, client: ClientName) -> Bool
}

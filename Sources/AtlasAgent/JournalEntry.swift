import AtlasModel

/// One fact in an agent's journal. What an agent has done follows from its entries, in order.
package enum JournalEntry: Hashable, Sendable {
  /// Everything that was known before: replaces what came earlier. Written by compaction.
  case state(JournalState)
  case booted(bootID: String)
  /// Raises the highest fence to the command's.
  case accepted(Command)
  /// Raises the highest fence; the command will never be carried out.
  case refused(Fence, message: String)
  /// The driver starts after this is on disk.
  case begun(Fence)
  /// The first install begins after this is on disk.
  case changed(Fence)
  /// A result ends its command.
  case report(CommandReport)
  /// The daemon has the reports of the fence up to this number.
  case acknowledged(Fence, seq: UInt32)
  /// Raises the highest fence to the cancel's own, `fence`.
  case cancel(Fence, command: Fence)
  /// Raises the highest fence, when it is not higher already.
  case stop(Fence)

  /// Whether it may be lost: the daemon acknowledges again what it is sent again.
  package var mayWait: Bool {
    switch self {
    case .acknowledged: true
    case .state, .booted, .accepted, .refused, .begun, .changed, .report, .cancel, .stop: false
    }
  }
}

/// The step of a run that is being worked on. Everything but `download` holds the client's slot.
package enum Phase: UInt8, CaseIterable, Hashable, Sendable {
  /// Updates are fetched; runs without a slot, in its own hours.
  case download
  case preCheck
  case snapshot
  case update
  case reboot
  case postCheck
  case soak
  case finalize
  case rollback
  /// `postCheck` after a rollback.
  case verify

  /// The word used in records, lists and messages.
  package var word: String {
    switch self {
    case .download: "DOWNLOAD"
    case .preCheck: "PRE_CHECK"
    case .snapshot: "SNAPSHOT"
    case .update: "UPDATE"
    case .reboot: "REBOOT"
    case .postCheck: "POST_CHECK"
    case .soak: "SOAK"
    case .finalize: "FINALIZE"
    case .rollback: "ROLLBACK"
    case .verify: "VERIFY"
    }
  }
}

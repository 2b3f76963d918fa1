/// What a campaign installs. An agent gets exactly this and reports on every update of it.
package struct UpdateSet: Hashable, Sendable {
  /// Updates and classes of updates (`security`, `critical`); empty means every class.
  package var include: [UpdateID]
  /// Updates that are never installed, even when a class includes them.
  package var exclude: [UpdateID]
  /// Updates whose failure fails the run. The failure of any other is an exception: the run is
  /// completed when the server is verified healthy without it.
  package var required: [UpdateID]
  /// Nothing published later is installed, so that a later ring gets what earlier rings proved. Nil
  /// until the campaign starts, which sets it to that instant unless somebody has said another.
  package var cutOff: Instant?

  package init(
    include: [UpdateID] = [], exclude: [UpdateID] = [], required: [UpdateID] = [],
    cutOff: Instant? = nil
  ) {
    self.include = include
    self.exclude = exclude
    self.required = required
    self.cutOff = cutOff
  }
}

/// What became of one update on one server.
package enum UpdateOutcome: UInt8, CaseIterable, Hashable, Sendable {
  case installed
  case failed
  case notApplicable
  /// Installed, and gone again after a boot.
  case reverted

  /// The word used in records, lists and messages.
  package var word: String {
    switch self {
    case .installed: "installed"
    case .failed: "failed"
    case .notApplicable: "not_applicable"
    case .reverted: "reverted"
    }
  }
}

/// One update's outcome on one server.
package struct UpdateResult: Hashable, Sendable {
  package var update: UpdateID
  package var outcome: UpdateOutcome
  /// Error code of the installer when it failed, such as `0x80070643`; at most 64 characters.
  package var code: String

  package init(update: UpdateID, outcome: UpdateOutcome, code: String = "") {
    self.update = update
    self.outcome = outcome
    self.code = code
  }
}

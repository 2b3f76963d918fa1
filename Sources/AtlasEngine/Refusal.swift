import AtlasModel

/// Why the engine will not do what a person asked. Nothing has changed.
package enum Refusal: Error, Hashable, Sendable {
  /// There is already something of that name.
  case alreadyExists(what: String, name: String)
  /// What was asked is not allowed now. `code` is for programs, `hint` says what would help.
  case notAllowed(code: Code, message: String, hint: String)
  /// What the person saw has changed since.
  case changed(message: String, hint: String)
  /// The request itself makes no sense.
  case invalid(field: String, message: String)
  /// A limit of the system is reached.
  case limit(String)

  /// A time that people gave is over.
  package static func past(field: String, _ instant: Instant, now: Instant) -> Refusal {
    .invalid(
      field: field, message: "\(instant.words) is over; give a time later than \(now.words)")
  }

  package enum Code: String, CaseIterable, Hashable, Sendable {
    case campaignState = "CAMPAIGN_STATE"
    case runState = "RUN_STATE"
    case nothingSelected = "NOTHING_SELECTED"
    case serverInOtherCampaign = "SERVER_IN_OTHER_CAMPAIGN"
    case stopped = "STOPPED"
    case notStopped = "NOT_STOPPED"
    case notPaused = "NOT_PAUSED"
    case agentAway = "AGENT_AWAY"
    case decisionNotOffered = "DECISION_NOT_OFFERED"
    case ringUnknown = "RING_UNKNOWN"
    case inFlight = "IN_FLIGHT"
    case retired = "RETIRED"
    case changeReference = "CHANGE_REFERENCE_REQUIRED"
    case noWindow = "NO_WINDOW"
    case notHeld = "NOT_HELD"
    case noApproval = "NO_APPROVAL_NEEDED"
    case notUnexplained = "NOT_UNEXPLAINED"
    case nothingToUndo = "NOTHING_TO_UNDO"
  }
}

/// A terminal that a full-screen view has taken over.
package protocol Screen: Sendable {
  /// The size now.
  var size: TerminalSize { get }

  /// Takes the terminal over; what was on it comes back at the end.
  func enter()

  /// Gives the terminal back as it was. Does nothing when it is not taken over.
  func leave()

  /// Shows these lines from the top, with escape sequences for colours.
  func draw(_ lines: [String])

  /// What the person has done since the last call.
  func takeEvents() -> [ScreenEvent]
}

/// Something that a person did to a full-screen view.
package enum ScreenEvent: Sendable, Hashable {
  case key(Character)
  /// The view should end: Ctrl-C, or a signal from elsewhere.
  case quit
}

import AtlasModel

/// Why a window or a zone cannot be used: what is wrong, and what would be right.
package struct WindowError: Error, Hashable, CustomStringConvertible {
  /// What is wrong, naming the words it was found in.
  package let message: String
  /// What would be right.
  package let hint: String

  package var description: String { "\(message); \(hint)" }

  private init(_ message: String, hint: String) {
    self.message = message.bounded(to: 256)
    self.hint = hint
  }
}

// MARK: - Zones and the shorthand

extension WindowError {
  static func unknownZone(_ name: String, nearest: String?) -> WindowError {
    WindowError(
      "“\(name)” is not a time zone",
      hint: nearest.map { "did you mean \($0)?" } ?? "write an IANA name such as Europe/Paris")
  }

  static let empty = WindowError("the window is empty", hint: shorthand)

  static func tooLong(limit: Int) -> WindowError {
    WindowError(
      "the window is longer than \(limit) characters", hint: "write several windows instead")
  }

  static func notUnderstood(_ text: some StringProtocol) -> WindowError {
    WindowError("“\(text)” is not a window", hint: shorthand)
  }

  static func unknownWeekday(_ text: some StringProtocol) -> WindowError {
    let names = Weekday.allCases.flatMap { [$0.name, String($0.name.prefix(3))] }
    return WindowError(
      "“\(text)” is not a day of the week",
      hint: Spelling.nearest(to: String(text), among: names).map { "did you mean \($0)?" }
        ?? "write Mon, Tue, Wed, Thu, Fri, Sat, Sun, or daily")
  }

  static func badTime(_ text: some StringProtocol) -> WindowError {
    WindowError("“\(text)” is not a time of day", hint: "write 22:00; a window may end at 24:00")
  }

  static func zeroLength(_ text: some StringProtocol) -> WindowError {
    WindowError(
      "“\(text)” begins when it ends", hint: "write 00:00-24:00 for a whole day, or always")
  }

  static func severalDaysToOneEnd(_ text: some StringProtocol) -> WindowError {
    WindowError(
      "“\(text)” begins on several days but ends on one",
      hint: "write one part for each beginning, such as Fri 20:00-Mon 05:00; Wed 22:00-Thu 04:00")
  }

  private static let shorthand =
    "write it as Sat 22:00-06:00, Mon-Fri 20:00-04:00, Fri 20:00-Mon 05:00, daily 22:00-05:00, "
    + "always, or RRULE:FREQ=MONTHLY;BYDAY=2SA;BYHOUR=22 DURATION:PT8H"
}

// MARK: - RFC 5545

extension WindowError {
  static func unsupportedPart(_ name: some StringProtocol, instead: String) -> WindowError {
    WindowError("\(name) is not supported", hint: instead)
  }

  static func repeatedPart(_ name: some StringProtocol) -> WindowError {
    WindowError("\(name) is written twice", hint: "write it once")
  }

  static func badPart(
    _ name: some StringProtocol, _ value: some StringProtocol, expected: String
  ) -> WindowError {
    WindowError("\(name)=\(value) cannot be read", hint: "write \(expected)")
  }

  static func missingPart(_ name: String, because reason: String) -> WindowError {
    WindowError("the rule lacks \(name)", hint: reason)
  }

  static let missingDuration = WindowError(
    "the rule says when the window begins, not how long it is",
    hint: "add its length, such as DURATION:PT8H")

  static func longerThanRepetition(_ duration: Duration, _ repetition: Duration) -> WindowError {
    WindowError(
      "the window lasts \(duration.text) and repeats after \(repetition.text), so it never closes",
      hint: "shorten it, or write always")
  }

  static func tooManyStarts(_ count: Int, limit: Int) -> WindowError {
    WindowError(
      "the rule begins \(count) times a day", hint: "at most \(limit) times a day are possible")
  }

  static let neverOccurs = WindowError(
    "the rule describes a day that never comes", hint: "check its BYDAY, BYMONTHDAY and UNTIL")

  static func neverAgain(_ text: some StringProtocol) -> WindowError {
    WindowError(
      "“\(text)” never opens again",
      hint: "write a later UNTIL or more of COUNT, or leave the window out")
  }
}

// MARK: - Intervals

extension WindowError {
  static func tooManyIntervals(limit: Int) -> WindowError {
    WindowError(
      "the windows make more than \(limit) intervals", hint: "write fewer windows or longer ones")
  }

  static let horizonTooFar = WindowError(
    "windows are asked for outside the years 1970 to 2999, or for more than ten years",
    hint: "ask for a shorter time")
}

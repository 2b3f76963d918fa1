/// Why a verb did not do what it was asked: what a person reads, and what a script gets.
package struct Failure: Error, Sendable, Hashable {
  package var status: ProgramStatus
  /// What is wrong, with names and values; one sentence without a full stop.
  package var message: String
  /// More of it, a line each, such as the fields of a request that are wrong.
  package var details: [String]
  /// What to do next, best a command that can be pasted; nil when there is nothing to suggest.
  package var hint: String?
  /// The daemon does not serve the call at all: a fact about the daemon, not about the request.
  var isUnserved = false

  package init(
    _ status: ProgramStatus, _ message: String, details: [String] = [], hint: String? = nil
  ) {
    self.status = status
    self.message = message
    self.details = details
    self.hint = hint
  }

  /// The command line is wrong.
  static func usage(_ message: String, hint: String? = nil) -> Failure {
    Failure(.usage, message, hint: hint)
  }

  /// A person was asked and said no.
  static let declined = Failure(.error, "nothing was done: you did not say yes")

  /// As printed on standard error.
  var lines: [Line] {
    var lines = [Line(Span("error:", .bad), Span(" \(message)"))]
    lines += details.map { Line(Span("  \($0)")) }
    if let hint { lines.append(Line(Span("hint:", .active), Span(" \(hint)"))) }
    return lines
  }
}

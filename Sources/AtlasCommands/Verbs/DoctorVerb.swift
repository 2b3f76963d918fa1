import ArgumentParser
import AtlasModel
import AtlasWire

/// `atlas doctor`
struct DoctorVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Look for what is wrong, with a next command for each finding.",
    discussion: """
      Exits with 0 when nothing failed, 7 when the daemon cannot be reached, else with 1.

        atlas doctor
        atlas --address 10.0.0.5:7443 doctor
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run(with console: Console) async throws {
    var findings: [Finding] = []
    let destination: Destination
    do throws(Failure) {
      destination = try Destination(options: global, environment: console.environment)
    } catch {
      try show([Finding(.fail, "address", error.message, next: error.hint)], console)
      throw Failure(error.status, "there is no address to look at")
    }
    findings.append(Finding(.ok, "address", "\(destination.address), from \(destination.source)"))
    findings += try await Session.open(
      to: destination, options: global, console: console, listVerb: "atlas campaign list"
    ) { session in try await Examination(session: session).findings() }
    try show(findings, console)
    let failed = findings.filter { $0.verdict == .fail }
    if failed.contains(where: { $0.status == .unreachable }) {
      throw Failure(.unreachable, "cannot reach the daemon at \(destination.address)")
    }
    if !failed.isEmpty { throw Failure(.error, "\(counted(failed.count, "check")) failed") }
  }

  private func show(_ findings: [Finding], _ console: Console) throws {
    let rows = findings.map(\.json)
    try console.show(
      Presentation(
        .value(.members(["checks": .array(rows)])), rows: rows.map { .value($0) },
        names: findings.filter { $0.verdict != .ok }.map(\.check)
      ) { _ in findings.flatMap(\.lines) }, as: global.output)
  }
}

/// One thing that `doctor` looked at.
struct Finding: Sendable, Hashable {
  enum Verdict: String, Sendable {
    case ok, warn, fail

    fileprivate var style: Style {
      switch self {
      case .ok: .good
      case .warn: .warn
      case .fail: .bad
      }
    }
  }

  var verdict: Verdict
  var check: String
  var message: String
  /// What to do next; nil when nothing is to be done.
  var next: String?
  /// What the failure means for the exit status.
  var status = ProgramStatus.error

  init(_ verdict: Verdict, _ check: String, _ message: String, next: String? = nil) {
    self.verdict = verdict
    self.check = check
    self.message = message
    self.next = next
  }

  fileprivate var lines: [Line] {
    let head = Line(
      Span(verdict.rawValue.padding(4), verdict.style), Span("  \(check.padding(9))", .bold),
      Span("  \(message)"))
    guard let next else { return [head] }
    return [head, Line(Span("                 hint:", .active), Span(" \(next)"))]
  }

  fileprivate var json: JSONValue {
    .members([
      "check": .string(check), "verdict": .string(verdict.rawValue), "message": .string(message),
      "next": next.map { .string($0) } ?? .null,
    ])
  }
}

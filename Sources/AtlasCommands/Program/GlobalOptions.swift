import ArgumentParser
import AtlasModel

/// The options that every verb takes, before or after the verb.
struct GlobalOptions: ParsableArguments, Sendable {
  @Option(
    help: ArgumentHelp("The daemon to talk to.", valueName: "host:port"))
  var address: String?

  @Option(help: ArgumentHelp("The context to use; see atlas context.", valueName: "name"))
  var context: String?

  @Option(
    name: .shortAndLong, help: "What comes out; jsonl is one row a line.")
  var output: OutputFormat = .table

  @Option(help: "How times are shown.")
  var time: TimeStyle = .relative

  @Option(
    help: ArgumentHelp(
      "The most that a call may take (default: ATLAS_TIMEOUT, or 15s); for wait, the wait.",
      valueName: "duration"),
    transform: DurationArgument.parsed)
  var timeout: DurationArgument?

  @Flag(name: .customLong("no-color"), help: "Never use colours; so does NO_COLOR.")
  var noColor = false
}

/// A duration of the command line: `90s`, `30m`, `1h30m`.
struct DurationArgument: Sendable, Hashable {
  var duration: Duration

  /// - Throws: what to write instead.
  @Sendable static func parsed(_ argument: String) throws -> DurationArgument {
    guard let duration = try? Duration(text: argument), duration > .zero else {
      throw ValidationError("write 90s, 30m or 1h30m")
    }
    return DurationArgument(duration: duration)
  }
}

/// How instants are shown.
enum TimeStyle: String, CaseIterable, ExpressibleByArgument, Sendable {
  case relative, iso, local
}

/// What comes out of a verb.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
  /// For people, cut to the terminal.
  case table
  /// For people, with everything.
  case wide
  /// One document: the proto3 JSON of the response.
  case json
  /// One row a line.
  case jsonl
  case yaml
  /// Names only, one a line.
  case name

  /// Whether a person reads it.
  var isText: Bool { self == .table || self == .wide }
}

/// For verbs that do something that cannot easily be undone.
struct ConfirmationOptions: ParsableArguments, Sendable {
  @Flag(name: .shortAndLong, help: "Do it without asking; needed where there is no terminal.")
  var yes = false
}

import ArgumentParser
import AtlasWire
import Testing

@testable import AtlasCommands

@Suite("The program")
struct ProgramTests {
  private let terminal = Terminal()

  @Test(
    "suggests a verb for one it does not know",
    arguments: [
      (["campaing"], "error: “campaing” is no verb of atlas\nhint: did you mean atlas campaign?\n"),
      (
        ["campaign", "lst"],
        "error: “lst” is no verb of atlas campaign\nhint: did you mean atlas campaign list?\n"
      ),
      (
        ["-o", "json", "stop", "statsu"],
        "error: “statsu” is no verb of atlas stop\nhint: did you mean atlas stop status?\n"
      ),
      (
        ["stop", "LAA"],
        "error: “LAA” is no verb of atlas stop\nhint: one client: atlas stop --client LAA\n"
      ),
      (
        ["plan"],
        "error: “plan” is no verb of atlas\nhint: did you mean atlas campaign plan?\n"
      ),
      (["xyzzy"], "error: “xyzzy” is no verb of atlas\nhint: atlas --help lists them\n"),
    ])
  func unknownVerb(words: [String], errors: String) async {
    expect(await terminal.run(words), is: Outcome(status: .usage, output: "", errors: errors))
  }

  @Test(
    "says what is wrong with a command line, and where help is",
    arguments: [
      (
        ["campaign", "list", "--outptu", "json"],
        "error: Unknown option '--outptu'. Did you mean '--output'?\nhint: atlas campaign list --help\n"
      ),
      (
        ["campaign", "get"],
        "error: Missing expected argument '<name>'\nhint: for example "
          + "atlas campaign get november; see atlas campaign get --help\n"
      ),
      (
        ["server", "lock", "X"],
        "error: Missing expected argument '--reason <text>'\nhint: for example "
          + "atlas server lock LAA-PARIS-DC01 --reason \"new disk\" --ticket OPS-1274; "
          + "see atlas server lock --help\n"
      ),
      (
        ["campaign", "pause", "x", "--ring", "1", "--client", "LAA"],
        "error: --ring and --client exclude each other\nhint: atlas campaign pause --help\n"
      ),
      (
        ["fleet", "export", "--kind", "orchestration"],
        "error: --kind orchestration needs --campaign\nhint: atlas fleet export --help\n"
      ),
      (
        ["server", "lock", "X", "--reason", "y", "--until", "5m"],
        "error: The value '5m' is invalid for '--until <time>': "
          + "write 2026-12-01 (UTC) or 2026-12-01T04:00:00+01:00\nhint: atlas server lock --help\n"
      ),
      (
        ["status", "--timeout", "soon"],
        "error: The value 'soon' is invalid for '--timeout <duration>': write 90s, 30m or 1h30m\n"
          + "hint: atlas status --help\n"
      ),
      (
        ["--address", "a:b", "status"],
        "error: the address “a:b” has no port between 1 and 65535\n"
          + "hint: write HOST:PORT, such as 127.0.0.1:7443\n"
      ),
    ])
  func usage(words: [String], errors: String) async {
    expect(await terminal.run(words), is: Outcome(status: .usage, output: "", errors: errors))
  }

  @Test("takes global options before and after the verb")
  func globalOptions() async {
    let expected = Outcome(status: .ok, output: "0.1.0\n", errors: "")
    expect(await terminal.run("-o", "name", "version"), is: expected)
    expect(await terminal.run("version", "--output", "name"), is: expected)
    expect(await terminal.run("--version"), prints: "atlas 0.1.0\n")
  }

  @Test(
    "shows help as data", arguments: [["--help"], ["help"], ["campaign"], ["help", "campaign"]])
  func help(words: [String]) async {
    let outcome = await terminal.run(words)
    #expect(outcome.status == .ok)
    #expect(outcome.errors == "")
    #expect(outcome.output.contains("SUBCOMMANDS"))
  }

  @Test("ends quietly when the reader of its output has gone")
  func closedOutput() async {
    let outcome = await Terminal(outputIsClosed: true).run("version")
    #expect(outcome == Outcome(status: .ok, output: "", errors: ""))
  }

  @Test("writes completion scripts", arguments: ShellArgument.allCases)
  func completion(shell: ShellArgument) async {
    let outcome = await terminal.run("completion", shell.rawValue)
    #expect(outcome.status == .ok)
    for word in ["exclude-update", "ring", "address"] { #expect(outcome.output.contains(word)) }
  }

  /// Every verb below `command`, with its path.
  private func verbs(
    of command: any ParsableCommand.Type = AtlasCommand.self, path: String = "atlas"
  ) -> [(path: String, type: any ParsableCommand.Type)] {
    command.configuration.subcommands.flatMap { child in
      let path = "\(path) \(child.verbName)"
      return [(path, child)] + verbs(of: child, path: path)
    }
  }

  @Test("explains every verb, with an example that parses")
  func helpTexts() throws {
    for (path, verb) in verbs() {
      #expect(!verb.configuration.abstract.isEmpty, "\(path) has no abstract")
      let examples = verb.configuration.discussion.split(separator: "\n").filter {
        $0.contains("atlas ") && $0.hasPrefix("  ")
      }
      #expect(!examples.isEmpty, "\(path) has no example")
      for example in examples { try parses(String(example)) }
    }
  }

  /// What a shell would give to the program for this example.
  private func parses(_ example: String) throws {
    guard let start = example.firstRange(of: "atlas ") else { return }
    let ends = [" | ", " > ", " && ", ")"].compactMap { example.firstRange(of: $0)?.lowerBound }
    let command = example[start.upperBound..<(ends.min() ?? example.endIndex)]
    var words: [String] = []
    for (index, part) in command.split(separator: "\"", omittingEmptySubsequences: false)
      .enumerated()
    {
      if index % 2 == 1 {
        words.append(String(part))
      } else {
        words += part.split(separator: " ").map(String.init)
      }
    }
    #expect(throws: Never.self, "\(example)") { try AtlasCommand.parseAsRoot(words) }
  }
}

@Suite("An option without a value")
struct EmptyValueTests {
  @Test(
    "never comes to mean everything",
    arguments: [
      (["stop", "--client", ""], "--client has an empty value"),
      (["stop", "release", "--client=", "--reason", "x", "--yes"], "--client has an empty value"),
      (["campaign", "create", "x", "--tag", ""], "--tag has an empty value"),
      (["campaign", "create", "x", "--rollback-of", ""], "--rollback-of has an empty value"),
      (["campaign", "start", "x", "--if-match", "", "--yes"], "--if-match has an empty value"),
      (["campaign", "create", "x", "--client", ","], "--client names nothing"),
      (["campaign", "create", "x", "--ring", ",,"], "--ring names nothing"),
    ])
  func refused(words: [String], message: String) async throws {
    try await FakeAtlas.serving { atlas, terminal in
      let outcome = await terminal.run(words)
      #expect(outcome.status == .usage)
      #expect(outcome.errors.hasPrefix("error: \(message)\n"))
      #expect(atlas.calls == [])
    }
  }

  @Test("is none where a reason is empty: a stop never asks")
  func reason() async throws {
    try await FakeAtlas.serving { atlas, terminal in
      #expect(await terminal.run("stop", "--reason", "").status == .ok)
      #expect(atlas.calls.map(\.method) == ["EmergencyStop"])
    }
  }

  @Test("is told apart from a selection, of which all parts are shown")
  func selection() {
    let selection = AtlasV1.Selection(
      clients: ["LAA"], tags: ["early"], namePatterns: ["*-SQL*"], failedIn: "november")
    #expect(
      selection.text == "clients LAA; tags early; names *-SQL*; what failed in november")
    #expect(AtlasV1.Selection().text == "the whole fleet")
  }
}

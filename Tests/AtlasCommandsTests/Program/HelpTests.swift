import ArgumentParser
import Testing

@testable import AtlasCommands

@Suite("Help")
struct HelpTests {
  /// Every noun and verb, as one types it.
  private static let commands: [[String]] = tree(AtlasCommand.self, [])

  private static func tree(_ command: any ParsableCommand.Type, _ path: [String]) -> [[String]] {
    [path]
      + command.configuration.subcommands.flatMap { tree($0, path + [$0.verbName]) }
  }

  private static func discussions(_ command: any ParsableCommand.Type) -> [String] {
    [command.configuration.discussion]
      + command.configuration.subcommands.flatMap { discussions($0) }
  }

  private static func help(_ path: [String]) async -> [Substring] {
    let outcome = await Terminal().run(path + ["--help"])
    #expect(outcome.status == .ok)
    return outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
  }

  @Test("fits into 80 columns, whichever verb it is of")
  func width() async {
    for path in Self.commands {
      let wide = await Self.help(path).filter { $0.count > 80 }
      #expect(wide == [], "\(path)")
    }
  }

  @Test("breaks lines where the terminal ends, and nowhere else")
  func paragraphs() {
    for discussion in Self.discussions(AtlasCommand.self) {
      let lines = discussion.split(separator: "\n", omittingEmptySubsequences: false)
      for (line, next) in zip(lines, lines.dropFirst()) where !line.hasPrefix(" ") {
        let isBroken = line.count > 50 && !next.isEmpty && !next.hasPrefix(" ")
        #expect(!isBroken, "\(line)")
      }
      for line in lines where line.hasPrefix(" ") { #expect(line.count <= 80, "\(line)") }
    }
  }

  @Test("has what a verb takes itself before what all of them take, in its usage as well")
  func order() async {
    let lines = await Self.help(["campaign", "release"])
    #expect(
      lines.filter { $0.hasSuffix(":") && !$0.hasPrefix(" ") } == [
        "ARGUMENTS:", "OPTIONS:", "GLOBAL OPTIONS:",
      ])
    #expect(
      lines.drop { !$0.hasPrefix("USAGE") }.prefix(3) == [
        "USAGE: atlas campaign release <name> [--role <name>] [--system <name>]",
        "       --reason <text> [<global options>]", "",
      ])
  }

  @Test("says when a campaign ends of which nobody says it")
  func end() async {
    let words = await Self.help(["campaign", "create"]).flatMap { $0.split(separator: " ") }
    #expect(words.joined(separator: " ").contains("that opens within 14 days of the start."))
  }

  @Test("is no wider than what is easy to read", arguments: [(nil, 80), (20, 40), (200, 100)])
  func columns(columns: Int?, width: Int) {
    #expect(HelpText.width(of: columns) == width)
  }
}

import ArgumentParser
import AtlasModel

/// The program: words in, text and an exit status out.
package enum Program {
  /// Runs the command line `arguments`, without the name of the program.
  package static func run(_ arguments: [String], with console: Console) async -> ProgramStatus {
    let console = console.following(arguments)
    if let failure = CommandPlace(of: arguments).emptyValue(in: arguments) {
      return report(failure, on: console)
    }
    do {
      var command = try AtlasCommand.parseAsRoot(arguments)
      if let verb = command as? any Verb { return await run(verb, with: console) }
      // A noun alone, or `help`: both end by throwing their help.
      try command.run()
      return .ok
    } catch {
      return report(parsing: error, of: arguments, on: console)
    }
  }

  private static func run(_ verb: any Verb, with console: Console) async -> ProgramStatus {
    let console = console.styled(by: verb.global)
    do {
      try await verb.run(with: console)
      return .ok
    } catch let failure as Failure {
      return report(failure, on: console)
    } catch is OutputClosed {
      // The reader of a pipe has gone, as `head` does: nobody is left to tell.
      return .ok
    } catch {
      return report(Failure(.error, String(describing: error)), on: console)
    }
  }

  private static func report(_ failure: Failure, on console: Console) -> ProgramStatus {
    for line in failure.lines { console.tell(line) }
    return failure.status
  }

  /// Help is data; everything else is said in the words of this program.
  private static func report(
    parsing error: any Error, of arguments: [String], on console: Console
  ) -> ProgramStatus {
    let width = HelpText.width(of: console.outputSize?.columns)
    if AtlasCommand.exitCode(for: error) == .success {
      let text = AtlasCommand.fullMessage(for: error, columns: width)
      return (try? console.print(HelpText.arranged(text, width: width))) == nil ? .error : .ok
    }
    let place = CommandPlace(of: arguments)
    if let failure = place.unknownWord { return report(failure, on: console) }
    let message = AtlasCommand.message(for: error).trimmingFullStop
    let help = "\(place.path) --help"
    let example = message.hasPrefix("Missing expected argument") ? place.example : nil
    let hint = example.map { "for example \($0); see \(help)" } ?? help
    return report(.usage(message, hint: hint), on: console)
  }
}

/// Where in the tree of verbs a command line leads.
struct CommandPlace {
  /// The words that name a verb, such as `atlas campaign`.
  private(set) var path = "atlas"
  /// The first example in the help of the verb; nil when there is none.
  private(set) var example: String?
  /// The first word that is no verb where only a verb can stand; nil when there is none.
  private(set) var unknownWord: Failure?

  /// Global options whose value is the next word.
  private static let valued: Set<String> = [
    "--address", "--context", "--output", "-o", "--time", "--timeout",
  ]

  init(of arguments: [String]) {
    var command: any ParsableCommand.Type = AtlasCommand.self
    var words = arguments.makeIterator()
    while let word = words.next() {
      if word.hasPrefix("-") {
        if Self.valued.contains(word) { _ = words.next() }
        continue
      }
      let verbs = command.configuration.subcommands
      if verbs.isEmpty { return }
      guard let next = verbs.first(where: { $0.verbName == word }) else {
        if word != "help" { unknownWord = Self.unknown(word, in: path, among: verbs) }
        return
      }
      command = next
      path += " \(word)"
      example = Self.example(of: command, path)
    }
  }

  private static func example(of command: any ParsableCommand.Type, _ path: String) -> String? {
    command.configuration.discussion.split(separator: "\n")
      .map { String($0.drop { $0 == " " }) }.first { $0.hasPrefix("\(path) ") }
  }

  /// An option with nothing for a value, as an unset variable of a script makes it: without its
  /// value it would mean everything. A reason may be empty: a stop never asks. A context forgets what
  /// is set to nothing.
  func emptyValue(in arguments: [String]) -> Failure? {
    if path.hasPrefix("atlas context") { return nil }
    for (index, word) in arguments.enumerated() {
      if word == "--" { return nil }
      let next = index + 1 < arguments.count ? arguments[index + 1] : nil
      let option = word.hasSuffix("=") ? String(word.dropLast()) : word
      guard word.hasPrefix("-"), next == "" || option != word, option != "--reason" else {
        continue
      }
      return .usage("\(option) has an empty value", hint: "leave it out, or say what it is")
    }
    return nil
  }

  private static func unknown(
    _ word: String, in path: String, among verbs: [any ParsableCommand.Type]
  ) -> Failure {
    let names = verbs.map { $0.verbName }
    let message = "“\(word)” is no verb of \(path)"
    if let nearest = Spelling.nearest(to: word, among: names) {
      return .usage(message, hint: "did you mean \(path) \(nearest)?")
    }
    if path == "atlas stop" {
      return .usage(message, hint: "one client: atlas stop --client \(word)")
    }
    let nouns = verbs.filter { noun in
      noun.configuration.subcommands.contains { $0.verbName == word }
    }
    if let first = nouns.first {
      let found = nouns.count == 1 ? "" : " \(nouns.count) nouns have that verb"
      return .usage(message, hint: "did you mean \(path) \(first.verbName) \(word)?\(found)")
    }
    return .usage(message, hint: "\(path) --help lists them")
  }
}

extension ParsableCommand {
  /// The word on the command line; every command here names itself.
  static var verbName: String { configuration.commandName ?? "" }
}

extension String {
  /// Without the full stop at the end that sentences of the argument parser have.
  fileprivate var trimmingFullStop: String { hasSuffix(".") ? String(dropLast()) : self }
}

import ArgumentParser
import AtlasSimulator

/// `atlas-sim scenario`: situations of the field, told in small worlds made by hand.
struct Scenarios: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scenario",
    abstract: "Plays situations that Atlas must cope with, each in a small world made by hand.",
    discussion: "Ends with 1 when one of them does not go as it should.")

  @Argument(help: "Names of scenarios, `all`, or `list` for their names and what they show.")
  var names: [String]

  @Flag(help: "Tell each story, line by line.")
  var trace = false

  func validate() throws {
    guard !names.isEmpty else { throw ValidationError("name a scenario, `all` or `list`") }
    for name in names where !["all", "list"].contains(name) && Scenario.named(name) == nil {
      throw ValidationError(
        "there is no scenario “\(name)”; `atlas-sim scenario list` shows them")
    }
  }

  func run() throws {
    if names.contains("list") {
      for scenario in Scenario.all { print("\(scenario.name)\n    \(scenario.shows)") }
      return
    }
    let scenarios = names.contains("all") ? Scenario.all : names.compactMap(Scenario.named)
    let failed = scenarios.count { !play($0) }
    if scenarios.count > 1 {
      print("\(scenarios.count) scenarios, \(failed) not as they should be")
    }
    if failed > 0 { throw ExitCode(1) }
  }

  /// - Returns: Whether it goes as it should.
  private func play(_ scenario: Scenario) -> Bool {
    let outcome = scenario.play()
    let verdict = outcome.wrong.isEmpty ? "ok" : "WRONG"
    print("\(verdict)  \(scenario.name): \(scenario.shows)")
    for wrong in outcome.wrong { print("    \(wrong)") }
    if trace { for line in outcome.story { print("    \(line)") } }
    return outcome.wrong.isEmpty
  }
}

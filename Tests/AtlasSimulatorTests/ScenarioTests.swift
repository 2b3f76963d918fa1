import Foundation
import Testing

@testable import AtlasSimulator

/// The situations of docs/engine.md §14, each with a golden trace in `Scenarios/`.
///
/// `ATLAS_UPDATE_TRACES=1 scripts/test` writes the files anew; read the difference before you
/// commit it, because it is what operators will see at night.
@Suite("A scenario")
struct ScenarioTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Scenarios")
  private static var isUpdating: Bool {
    ProcessInfo.processInfo.environment["ATLAS_UPDATE_TRACES"] == "1"
  }

  @Test("goes as it should, and as its trace tells it", arguments: Scenario.all.map(\.name))
  func goes(name: String) throws {
    let outcome = try #require(Scenario.named(name)).play()
    #expect(outcome.wrong == [])
    #expect(outcome.story.count <= 150, "\(name) is too long to be read")
    let file = Self.folder.appending(path: "\(name).txt")
    let story = outcome.story.joined(separator: "\n") + "\n"
    if Self.isUpdating { try story.write(to: file, atomically: true, encoding: .utf8) }
    let golden = try String(contentsOf: file, encoding: .utf8)
    if let difference = Self.firstDifference(golden, story) {
      Issue.record("\(name).txt differs: \(difference)")
    }
  }

  @Test("has a name of its own, and there is no trace without one")
  func names() throws {
    let names = Scenario.all.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.allSatisfy { $0.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" } })
    // They are written beside this test.
    guard !Self.isUpdating else { return }
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    #expect(Set(files.filter { $0.hasSuffix(".txt") }) == Set(names.map { "\($0).txt" }))
  }

  @Test("says which server ended otherwise, and what is not so")
  func findings() {
    let scenario = Scenario("a-claim-that-does-not-hold", shows: "nothing") { night in
      night.client("ATL", ["WEB01"])
      night.ends("ATL-LYON-WEB01", "HELD LOST")
      night.claim("it never starts") { !$0.has("run.started") }
    }
    #expect(
      scenario.play().wrong == [
        "ATL-LYON-WEB01 ends as COMPLETED UPDATED instead of HELD LOST",
        "it is not so that it never starts",
      ])
  }

  @Test("says that a moment never came, and that a server is not there")
  func cues() {
    let scenario = Scenario("a-moment-that-never-comes", shows: "nothing") { night in
      night.client("ATL", ["WEB01"])
      night.when(.begins(.rollback, .of("ATL-LYON-WEB01")), .killsDaemon)
    }
    let missed = scenario.play().wrong
    #expect(missed.count == 1)
    #expect(missed.first?.hasPrefix("the moment never comes: begins(") ?? false)
    let other = Scenario("a-server-that-is-not-there", shows: "nothing") { night in
      night.client("ATL", ["WEB01"])
      night.at(22, 0, .bootsByHand(.of("ATL-LYON-WEB09"), for: .seconds(60)))
    }
    #expect(
      other.play().wrong.first
        == "defect: the script names ATL-LYON-WEB09, which the plan does not have")
  }

  @Test("is played with the middle of every length, and with what happens every second time")
  func even() {
    var even = Randomness.even
    let numbers = [even.number(2...10), even.number(0...1), even.number(7...7)]
    #expect(numbers == [6, 0, 7])
    let happens = [even.happens(500), even.happens(499), even.happens(0)]
    #expect(happens == [true, false, false])
    let length = even.seconds(10...20)
    #expect(length == Duration.seconds(15))
  }

  private static func firstDifference(_ golden: String, _ story: String) -> String? {
    guard golden != story else { return nil }
    let left = golden.split(separator: "\n", omittingEmptySubsequences: false)
    let right = story.split(separator: "\n", omittingEmptySubsequences: false)
    let place = zip(left, right).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    let line = place ?? min(left.count, right.count)
    let expected = line < left.count ? String(left[line]) : "(the end)"
    let found = line < right.count ? String(right[line]) : "(the end)"
    return "line \(line + 1)\n  golden: \(expected)\n  now:    \(found)"
  }
}

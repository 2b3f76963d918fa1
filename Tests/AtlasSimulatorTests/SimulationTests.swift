import AtlasModel
import Foundation
import Testing

@testable import AtlasSimulator

@Suite("A simulated weekend")
struct SimulationTests {
  /// A part of a standard weekend: these tests run unoptimised, beside all others.
  private func small(_ seed: UInt64) -> SeedPlan {
    var reduction = Reduction(seed: seed)
    reduction.clients = ["C01", "C02", "C03"]
    return reduction.plan
  }

  @Test("is the same for the same seed, down to every byte of the log", arguments: [1, 2, 3])
  func isDeterministic(seed: UInt64) {
    let first = Simulation(small(seed)).run()
    let second = Simulation(small(seed)).run()
    #expect(first.hash == second.hash)
    #expect(first.happenings == second.happenings)
    #expect(first.hash != Simulation(small(seed + 1)).run().hash)
  }

  @Test("has at least 20 clients and 100 runs in it", arguments: 1...50)
  func isStandard(seed: UInt64) {
    let plan = SeedPlan(seed: seed)
    #expect(plan.clients.count >= 20)
    #expect(plan.campaigns.flatMap(\.servers).count >= 100)
  }

  @Test("goes on for a weekend, and everything holds")
  func holds() {
    let outcome = Simulation(small(999)).run()
    #expect(outcome.virtualTime >= .seconds(58 * 3_600))
    #expect(outcome.violations == [])
  }

  @Test("tells its story without changing it")
  func tells() {
    let silent = Simulation(small(7)).run()
    let told = Simulation(small(7), isTelling: true).run()
    #expect(silent.hash == told.hash)
    #expect(silent.story.isEmpty)
    #expect(told.story.contains { $0.contains("log client.imported") })
  }

  @Test("differs from seed to seed in what goes wrong")
  func menus() {
    let menus = (1...40).map { SeedPlan(seed: $0).menu }
    for kind in FaultKind.allCases {
      let with = menus.count { $0.kinds.contains(kind) }
      #expect((1..<40).contains(with), "\(kind) is on in \(with) of 40 seeds")
    }
  }
}

@Suite("Settings of a seed")
struct SettingTests {
  @Test("are on in some seeds and off in others", arguments: SettingKind.allCases)
  func kinds(kind: SettingKind) {
    let with = (1...40).count { SeedPlan(seed: $0).settings.contains(kind) }
    #expect((1..<40).contains(with))
  }

  @Test("that are left out change nothing about the others", arguments: SettingKind.allCases)
  func leftOut(kind: SettingKind) {
    for seed in UInt64(1)...10 {
      let whole = SeedPlan(seed: seed)
      let rest = SeedPlan(seed: seed, without: [kind])
      #expect(rest.settings == whole.settings.subtracting([kind]))
      #expect(rest.clients.map(\.weekly) == whole.clients.map(\.weekly))
      #expect(rest.campaigns.map(\.servers) == whole.campaigns.map(\.servers))
      #expect(rest.imports == (kind == .imports ? [] : whole.imports))
      let isKept = kind != .freezes
      #expect(
        rest.clients.map(\.config.freezes)
          == (isKept ? whole.clients.map(\.config.freezes) : whole.clients.map { _ in [] }))
    }
  }

  @Test("are in the plan: windows, resources, times of roles, and policies of clients")
  func areDrawn() {
    let campaigns = (UInt64(1)...40).flatMap { SeedPlan(seed: $0).campaigns }
    #expect(campaigns.contains { $0.policy.windows != nil })
    #expect(campaigns.contains { !$0.policy.resources.isEmpty })
    #expect(campaigns.contains { !$0.policy.roleTimes.isEmpty })
    #expect(campaigns.contains { !$0.overrides.isEmpty })
  }
}

@Suite("A reduced seed")
struct ReductionTests {
  @Test("reads back from its text")
  func text() throws {
    var reduction = Reduction(seed: 42)
    reduction.clients = ["C03", "C07"]
    reduction.without = ["late", "daemon_dies", "own_windows"]
    reduction.leftOut = [3, 9]
    #expect(try Reduction(text: "# found once\n" + reduction.text) == reduction)
  }

  @Test(
    "that cannot be read is refused with the line",
    arguments: [
      ("seed 1\nwithout rain\n", 2), ("clients C01\n", 1), ("seed 1\n\nweather fine\n", 3),
    ])
  func refusals(text: String, line: Int) {
    #expect { try Reduction(text: text) } throws: { ($0 as? ReductionError)?.line == line }
  }

  @Test("has only the clients that are left")
  func clients() {
    var reduction = Reduction(seed: 5)
    reduction.clients = ["C02"]
    #expect(reduction.plan.clients.map(\.config.name.text) == ["C02"])
    #expect(reduction.plan.campaigns.flatMap(\.servers).allSatisfy { $0.text.hasPrefix("C02-") })
    #expect(Simulation(reduction.plan).run().violations == [])
  }
}

@Suite("A reduction")
struct ReducingTests {
  @Test("leaves out single things that the seed plans, by their place in one sequence")
  func leavesOut() {
    let whole = SeedPlan(seed: 8)
    #expect(Set(whole.acts).count == whole.acts.count)
    for (number, act) in whole.acts.enumerated() {
      var reduction = Reduction(seed: 8)
      reduction.leftOut = [number]
      let plan = reduction.plan
      #expect(plan.leftOut == [act])
      let stays =
        switch act {
        case .moment, .intervention: true
        case .spell, .outage, .rollback, .change, .fleetImport, .ailment: false
        }
      #expect(plan.acts.count == whole.acts.count - (stays ? 0 : 1))
    }
  }

  @Test("knows the same failure by its words, whatever its names and numbers are")
  func signatures() {
    func signature(_ text: String) -> Signature { Signature("S1", text) }
    let first = signature("C05-S1-SQL02 was not proven healthy since fence 151")
    #expect(first == signature("C01-S1-WEB01 was not proven healthy since fence 7"))
    #expect(first != signature("C05-S1-SQL02 is completed while it is held"))
  }
}

/// What the simulator found once is looked for always: a file for each, with its seed.
@Suite("What was found before")
struct FoundBeforeTests {
  static let files: [String] = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Seeds")
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    return (names ?? []).filter { $0.hasSuffix(".seed") }.sorted().map {
      folder.appending(path: $0).path
    }
  }()

  @Test("does not come back", arguments: files)
  func holds(path: String) throws {
    let reduction = try Reduction(text: try String(contentsOfFile: path, encoding: .utf8))
    #expect(Simulation(reduction.plan).run().violations == [])
  }
}

import AtlasModel
import AtlasTestKit
import Testing

@testable import AtlasEngine

@Suite struct `A histogram of durations` {
  @Test(arguments: [1, 7, 30, 95, 400, 999])
  func `says the percentiles, never too short, and a sixteenth and a second too long at most`(
    count: Int
  ) {
    var random: UInt64 = 42
    var seconds: [Int] = []
    var histogram = DurationHistogram()
    for _ in 0..<count {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      // From seconds to many hours.
      seconds.append(Int(random >> 40) % (1 << (2 + Int(random >> 60))))
      histogram.add(.seconds(seconds[seconds.count - 1]))
    }
    seconds.sort()
    for (read, percent) in [(histogram.p95, 95), (histogram.p50, 50)] {
      let exact = Duration.seconds(seconds[(count * percent + 99) / 100 - 1])
      #expect(exact <= read)
      #expect(read <= exact * 17 / 16 + .seconds(1))
    }
    #expect(histogram.samples == count)
    #expect(DurationHistogram(stored: histogram.stored) == histogram)
  }

  @Test func `rounds up to seconds, and takes what is longer than three days for that`() {
    var histogram = DurationHistogram()
    #expect(histogram.p95 == .zero)
    histogram.add(.milliseconds(1))
    #expect(histogram.p95 == .seconds(1))
    histogram = DurationHistogram()
    histogram.add(.seconds(90 * 86_400))
    #expect(histogram.p95 == .seconds(1 << 18 - 1))
  }

  @Test func `forgets by halves, and what is rare keeps its share`() {
    var histogram = DurationHistogram()
    for index in 0..<Limits.estimateMemory {
      histogram.add(.seconds(index % 10 == 0 ? 3_600 : 60))
    }
    #expect(histogram.samples == Limits.estimateMemory / 2)
    #expect(histogram.p50 == .seconds(61))
    #expect(histogram.p95 >= .seconds(3_600))
    // After as many again it is the new that counts.
    for _ in 0..<2 * Limits.estimateMemory { histogram.add(.seconds(20)) }
    #expect(histogram.p50 == .seconds(20))
    #expect(histogram.p95 <= .seconds(61))
    #expect(histogram.samples < Limits.estimateMemory)
  }

  @Test func `is refused when it holds what cannot be`() {
    #expect(DurationHistogram(stored: [(bucket: 1_000, count: 1)]) == nil)
    #expect(DurationHistogram(stored: [(bucket: 1, count: 0)]) == nil)
    #expect(DurationHistogram(stored: [(bucket: 1, count: 600), (bucket: 2, count: 600)]) == nil)
  }
}

@Suite struct `An estimate` {
  private static let web = ServerKind(role: Role(trusted: "WEB"), system: "windows-2022")
  /// PRE_CHECK 30 s, SNAPSHOT 120 s, UPDATE 1,200 s, REBOOT 240 s, POST_CHECK 70 s and FINALIZE 60
  /// s, each read as the longest time of its bucket: 30, 123, 1,215, 247, 71 and 61 s.
  private static let usual = Duration.seconds(1_747)

  /// So many clients with one server each that is updated, and one with a server that is not begun.
  private static func world(
    _ count: Int, last: String = "ZZZ-PARIS-WEB01", _ change: (inout EngineWorld) -> Void = { _ in }
  ) -> EngineWorld {
    var fleet = EngineFleet()
    for number in 0..<count { fleet.add("C\(100 + number)", servers: ["C\(100 + number)-A-WEB01"]) }
    fleet.add("ZZZ", servers: [last])
    var world = EngineWorld(fleet)
    world.comparesEvery = 10
    change(&world)
    let first = (0..<count).map { ClientName(trusted: "C\(100 + $0)") }
    world.campaign("patch-11", selection: Selection(clients: first))
    world.settle()
    return world
  }

  private static func draft(_ world: inout EngineWorld) -> RunRef {
    let last = world.draft("later", selection: Selection(clients: [ClientName(trusted: "ZZZ")]))
    return RunRef(campaign: last, index: 0)
  }

  @Test(arguments: [(19, nil), (20, usual)] as [(Int, Duration?)])
  func `is the policy's until each phase was seen twenty times`(count: Int, learned: Duration?) {
    var world = Self.world(count)
    let later = Self.draft(&world)
    #expect(world.state.learnedEstimate(of: later) == learned)
    #expect(world.state.estimate(of: later) == learned ?? .seconds(45 * 60))
    #expect(world.state.histories.map(\.kind) == [Self.web])
    #expect(world.violations == [])
  }

  @Test func `is that of the policy for a server with a role that nobody has seen`() {
    var world = Self.world(20, last: "ZZZ-PARIS-SQL01")
    let later = Self.draft(&world)
    #expect(world.state.learnedEstimate(of: later) == nil)
  }

  @Test func `adds the soak of the policy`() {
    var world = Self.world(20)
    let id = world.draft(
      "later", policy: .with { $0.serverSoak = .seconds(300) },
      selection: Selection(clients: [ClientName(trusted: "ZZZ")]))
    let later = RunRef(campaign: id, index: 0)
    #expect(world.state.estimate(of: later) == Self.usual + .seconds(300))
  }

  @Test func `comes back after a restart, and changes the etag of plans when it changes`() {
    var world = Self.world(19)
    let later = Self.draft(&world)
    let before = world.state.planVersion(later.campaign)
    world.crash()
    #expect(world.state.planVersion(later.campaign) == before)
    for index in world.agents.indices { world.connect(ServerID(index)) }
    world.step(
      .startCampaign(later.campaign, ifMatch: before, hookRevision: "", by: "anna"))
    world.settle()
    let id = world.draft("last", selection: Selection(clients: [ClientName(trusted: "ZZZ")]))
    #expect(world.state.estimate(of: RunRef(campaign: id, index: 0)) == Self.usual)
    #expect(world.state.estimatesVersion == 1)
    world.crash()
    #expect(world.state.estimate(of: RunRef(campaign: id, index: 0)) == Self.usual)
    #expect(world.violations == [])
  }

  @Test func `learns nothing of UPDATE from servers with nothing to install`() {
    let world = Self.world(20) { $0.script.answer(.update, with: .nothingToInstall) }
    let samples = world.state.histories[0].phases.map(\.samples)
    #expect(samples == [20, 20, 0, 0, 20, 20, 0, 0])
    #expect(world.state.histories[0].estimate == nil)
  }

  @Test func `learns from what failed after a change, and its way back`() {
    let world = Self.world(2) {
      $0.script.answer(
        .update, of: "C100-A-WEB01", with: .failsToInstall("E1", "broken", retryable: false))
      $0.script.answer(
        .update, of: "C101-A-WEB01", with: .ends(.refused, "E_DISK", "no room"))
    }
    // One was rolled back: UPDATE ended, and neither REBOOT nor POST_CHECK was. The other changed
    // nothing.
    #expect(world.state.histories[0].phases.map(\.samples) == [1, 1, 1, 0, 0, 1, 1, 1])
  }

  @Test func `counts what a stop cut off only from its new begin`() {
    let world = Self.world(1) { world in
      world.script.answer(.update, with: .installs(["KB1"], reboot: false))
    }
    // Without a boot REBOOT took no time at all.
    #expect(world.state.histories[0].phases.map(\.samples) == [1, 1, 1, 1, 1, 1, 0, 0])
    #expect(world.state.histories[0].phases[3].p95 == .zero)

    var stopped = Self.world(0)
    let id = stopped.campaign(
      "soaking", policy: .with { $0.serverSoak = .seconds(600) },
      selection: Selection(clients: [ClientName(trusted: "ZZZ")]))
    let name = "ZZZ-PARIS-WEB01"
    stopped.run(until: name, .update, in: id)
    stopped.stop()
    // UPDATE goes on to its end, and the boot waits for people.
    stopped.run(for: .seconds(7_200))
    stopped.release()
    stopped.resume(id, now: true)
    stopped.settle()
    let phases = stopped.state.histories[0].phases
    #expect(phases[2].p95 == .seconds(1_215))
    #expect(phases[3].p95 == .seconds(247))
    #expect(stopped.violations == [])
  }

  @Test func `rises at once, and falls only when it is an eighth lower`() {
    var history = KindHistory(Self.web)
    func add(_ seconds: Int, _ count: Int) {
      for place in history.phases.indices {
        for _ in 0..<count { history.phases[place].add(.seconds(seconds)) }
      }
    }
    add(20, 20)
    let look1 = history.review()
    #expect(look1)
    #expect(history.estimate == .seconds(6 * 20))
    add(21, 10)
    let look2 = history.review()
    #expect(look2)
    #expect(history.estimate == .seconds(6 * 21))
    // 20 s are less by a twentieth: not enough.
    add(20, 400)
    let look3 = history.review()
    #expect(!look3)
    #expect(history.estimate == .seconds(6 * 21))
    add(10, 4 * Limits.estimateMemory)
    let look4 = history.review()
    #expect(look4)
    #expect(history.estimate == .seconds(6 * 10))
    #expect(history.changes == 3)
  }

  @Test func `that is passed is said once, with what it means for the lane`() throws {
    var fleet = EngineFleet()
    for number in 0..<20 { fleet.add("C\(100 + number)", servers: ["C\(100 + number)-A-WEB01"]) }
    fleet.add(
      "ZZZ", servers: ["ZZZ-PARIS-WEB01", "ZZZ-PARIS-WEB02"],
      windows: [EngineFleet.night(1, hours: 2)])
    var world = EngineWorld(fleet)
    world.comparesEvery = 100
    world.script.answer(
      .update, of: "ZZZ-PARIS-WEB01", with: .installs(["KB1"], after: .seconds(5_000)))
    world.campaign("patch-11", policy: .with { $0.times.update = .seconds(3 * 3_600) })
    world.settle()
    let late = world.story.split(separator: "\n").filter { $0.contains("takes longer than") }
    #expect(late.count == 1)
    let line = try #require(late.first)
    #expect(
      line.contains(
        "it takes longer than 29m7s, as 95 of 100 of WEB on windows-2022 do not"))
    let run = world.state[world.run("ZZZ-PARIS-WEB01")]
    #expect(run.details.content.clock.isLate)
    #expect(run.details.content.clock.isFromHistory)
    #expect(run.state == .completed(.updated))
    #expect(world.violations == [])
  }
}

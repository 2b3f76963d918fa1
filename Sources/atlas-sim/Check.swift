import ArgumentParser
import AtlasModel
import AtlasSimulator
import Glibc

/// `atlas-sim check`: many seeds, each twice, or bugs planted on purpose.
struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Plays seeds, each twice, and says what does not hold.",
    discussion: """
      Ends with 1 when an invariant does not hold, when two runs of a seed differ, or when one of \
      the rare branches was never reached (of at least 1,000 seeds).
      With --plant it breaks Atlas on purpose, and ends with 1 when the seeds do not find it by a \
      rule that is about it; that needs a program built with -D ATLAS_PLANTS, as \
      `scripts/simulate` does.
      """)

  @Option(help: "How many seeds.")
  var seeds: UInt64 = 100

  @Option(help: "The first seed.")
  var first: UInt64 = 1

  @Option(help: ArgumentHelp("Seeds that are played at the same time.", valueName: "count"))
  var jobs = 2

  @Option(help: ArgumentHelp("A bug to plant, or `all`.", valueName: "bug"))
  var plant: String?

  @Option(help: ArgumentHelp("Stop after so many minutes, whatever is left.", valueName: "minutes"))
  var minutes: Int?

  @Flag(help: "Say how often each rare branch was reached.")
  var points = false

  func validate() throws {
    guard (1...PlayedSeeds.jobs).contains(jobs) else {
      throw ValidationError("--jobs is from 1 to \(PlayedSeeds.jobs)")
    }
    guard seeds > 0 else { throw ValidationError("--seeds is at least 1") }
    guard let plant, plant != "all", Plant(rawValue: plant) == nil else { return }
    let known = Plant.allCases.map(\.rawValue).joined(separator: ", ")
    throw ValidationError("there is no bug “\(plant)” to plant; known: all, \(known)")
  }

  func run() async throws {
    PlayedSeeds.watch()
    guard let plant else { return try await checkSeeds() }
    #if ATLAS_PLANTS
      try await checkPlants(
        plant == "all" ? Plant.allCases : Plant(rawValue: plant).map { [$0] } ?? [])
    #else
      print(
        "error: this program was built without bugs; `scripts/simulate --plant \(plant)` has them")
      throw ExitCode(64)
    #endif
  }

  // MARK: - Seeds

  private func checkSeeds() async throws {
    print("seeds \(first) to \(first + seeds - 1), each twice")
    let clock = ContinuousClock()
    let start = clock.now
    let deadline = minutes.map { start + .seconds($0 * 60) }
    let summary = await play { deadline.map { clock.now < $0 } ?? true }
    report(summary, took: clock.now - start)
    let missed = summary.sometimes.missed
    if !missed.isEmpty {
      print("never reached: " + missed.map { "\($0)" }.joined(separator: ", "))
    }
    let isTame = summary.seeds >= Self.enoughForEverything && !missed.isEmpty
    if !summary.findings.isEmpty || isTame { throw ExitCode(1) }
  }

  /// Fewer seeds cannot be expected to reach every rare branch.
  private static let enoughForEverything = 1_000

  private func play(while mayGoOn: @escaping @Sendable () -> Bool) async -> SeedCheck.Summary {
    await withTaskGroup(of: SeedCheck.Summary.self) { group in
      for job in 0..<UInt64(jobs) {
        group.addTask {
          var summary = SeedCheck.Summary()
          var seed = first + job
          while seed < first + seeds, mayGoOn() {
            let played = PlayedSeeds.play(seed, job: Int(job)) {
              SeedCheck.run(SeedPlan(seed: seed))
            }
            for finding in played.findings { tell(finding) }
            summary.add(played)
            seed += UInt64(jobs)
          }
          return summary
        }
      }
      return await group.reduce(into: SeedCheck.Summary()) { $0.add($1) }
    }
  }

  /// As it comes: a run of hours may be cut short.
  private func tell(_ finding: SeedCheck.Finding) {
    print(
      """
      seed \(finding.seed), after \(finding.at.text): \(finding.text)
        hint: atlas-sim tell \(finding.seed), or atlas-sim reduce \(finding.seed)
      """)
    fflush(nil)
  }

  private func report(_ summary: SeedCheck.Summary, took: Duration) {
    let seconds = max(took.inSeconds, 0.001)
    let years = summary.virtualTime.inSeconds / (365.25 * 86_400)
    print(
      "\(summary.seeds) seeds, \(summary.findings.count) failed; \(summary.runs) runs, "
        + "\(summary.happenings) happenings, \(years.rounded(to: 2)) virtual years, "
        + "\((Double(summary.seeds) / seconds).rounded(to: 1)) seeds/s")
    let reached = Sometimes.allCases.count - summary.sometimes.missed.count
    print("rare branches reached: \(reached) of \(Sometimes.allCases.count)")
    guard points else { return }
    for point in Sometimes.allCases { print("  \(point): \(summary.sometimes[point])") }
  }

  // MARK: - Plants

  #if ATLAS_PLANTS
    private func checkPlants(_ bugs: [Plant]) async throws {
      var missed: [Plant] = []
      for bug in bugs {
        // Nothing runs while it is planted.
        Plant.planted = bug
        let (finding, other) = await find(bug.foundBy)
        if let finding {
          print("\(bug.rawValue): seed \(finding.seed): \(finding.text.prefix(160))")
        } else {
          let rules = bug.foundBy.sorted().joined(separator: " or ")
          print("\(bug.rawValue): NOT FOUND by \(rules) in seeds \(first) to \(first + seeds - 1)")
          if let other { print("  but seed \(other.seed): \(other.text.prefix(160))") }
          missed.append(bug)
        }
        fflush(nil)
      }
      Plant.planted = nil
      print("\(bugs.count - missed.count) of \(bugs.count) planted bugs found")
      if !missed.isEmpty { throw ExitCode(1) }
    }

    /// The first seed that finds what is planted by one of `rules`, of those that are played side
    /// by side; and the first that finds anything else.
    private func find(
      _ rules: Set<String>
    ) async -> (SeedCheck.Finding?, other: SeedCheck.Finding?) {
      var other: SeedCheck.Finding?
      var seed = first
      while seed < first + seeds {
        let batch = seed..<min(first + seeds, seed + UInt64(jobs))
        let found = await withTaskGroup(of: SeedCheck.Finding?.self) { group in
          for seed in batch {
            group.addTask {
              PlayedSeeds.play(seed, job: Int(seed - batch.lowerBound)) {
                SeedCheck.finding(of: Simulation(SeedPlan(seed: seed)).run(), by: rules)
              }
            }
          }
          return await group.reduce(into: [SeedCheck.Finding]()) { list, finding in
            if let finding { list.append(finding) }
          }
        }
        let sorted = found.sorted { $0.seed < $1.seed }
        if let right = sorted.first(where: { rules.contains($0.invariant) }) {
          return (right, other)
        }
        other = other ?? sorted.first
        seed = batch.upperBound
      }
      return (nil, other)
    }
  #endif
}

extension Duration {
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}

extension Double {
  func rounded(to places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    return "\((self * scale).rounded() / scale)"
  }
}

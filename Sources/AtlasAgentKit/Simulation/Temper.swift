import AtlasModel

/// What is particular about one simulated server: how long things take and which updates it needs.
/// Everything is drawn from the seed, the server's name and what is asked, never from the order of
/// asking, so that the same commands meet the same server again.
struct Temper: Sendable {
  private let seed: UInt64
  private let server: ServerName
  private let roles: [Role]
  /// In thousandths.
  private let scale: Int
  private let failure: FailureKind?
  /// Passes until the set is done, 1 to 3.
  let passes: Int
  let needsReboot: Bool

  init(seed: UInt64, server: ServerName, roles: [Role], scale: Int, failure: FailureKind?) {
    self.seed = seed
    self.server = server
    self.roles = roles
    self.scale = scale
    self.failure = failure
    var random = SplitMix64(seed: seed, server.text, "passes")
    let roll = Int.random(in: 0..<100, using: &random)
    passes = failure == .threeReboots ? 3 : roll < 65 ? 1 : roll < 92 ? 2 : 3
    needsReboot = passes > 1 || Int.random(in: 0..<10, using: &random) > 0
  }

  func random(_ words: String...) -> SplitMix64 {
    SplitMix64(seed: seed, server.text, words.joined(separator: "/"))
  }

  // MARK: Durations

  /// Campaign time that a command takes.
  func duration(of command: Command) -> Duration {
    var random = random(command.kind.word, "\(command.attempt)", "\(command.pass)")
    // Around the mean, with a tail: one in ten takes half as long again.
    var percent =
      75 + Int.random(in: 0...25, using: &random) + Int.random(in: 0...25, using: &random)
    if Int.random(in: 0..<10, using: &random) == 0 { percent += percent / 2 }
    if command.kind == .update, command.pass > 1 { percent = percent * 2 / 5 }
    if command.kind == .update, failure == .slowUpdate { percent *= 8 }
    return minutes(of: command.kind) * percent * scale / 100_000
  }

  private func minutes(of kind: CommandKind) -> Duration {
    let minutes =
      switch kind {
      case .download: 10
      case .snapshot: 2
      case .update: roles.map { Self.updateMinutes[$0.text] ?? 22 }.max() ?? 22
      case .reboot: 6
      case .health: 1
      case .rollback: 10
      case .removeSnapshot: 1
      }
    return .seconds(minutes * 60)
  }

  private static let updateMinutes: [String: Int] = [
    "DC": 20, "SQL": 32, "DB": 32, "EXCH": 35, "MX": 30, "MAIL": 30, "HV": 28, "CLU": 28,
    "FILE": 18, "FS": 18, "WEB": 15, "APP": 20, "RDS": 24, "PRINT": 12,
  ]

  // MARK: Updates

  /// What a set means for this server, sorted by name.
  func plan(_ set: UpdateSet) -> [PlannedUpdate] {
    let known = set.include.isEmpty ? [] : set.include
    let classes = known.filter { UpdateCatalogue.classes.contains($0.text) }
    let named = known.filter { !UpdateCatalogue.classes.contains($0.text) }
    var wanted = Set(named).union(set.required)
    if known.isEmpty || !classes.isEmpty {
      wanted.formUnion(ownUpdates(of: Set(classes.map(\.text)), cutOff: set.cutOff))
    }
    wanted.subtract(set.exclude)
    return wanted.sorted().prefix(Limits.updates).map { id in
      var random = random("update", id.text)
      let isOwn = !named.contains(id) || Int.random(in: 0..<20, using: &random) > 1
      let applies = failure != .noUpdates && isOwn
      return PlannedUpdate(
        id: id.text, pass: applies ? Int.random(in: 1...passes, using: &random) : nil)
    }
  }

  /// The 5 to 15 updates of the catalogue that this server lacks, as far as class and date go.
  private func ownUpdates(of classes: Set<String>, cutOff: Instant?) -> [UpdateID] {
    var random = random("catalogue")
    let count = Int.random(in: 5...15, using: &random)
    let own = UpdateCatalogue.updates.shuffled(using: &random).prefix(count)
    return own.filter { update in
      (classes.isEmpty || classes.contains(update.kind))
        && cutOff.map { update.published <= $0 } ?? true
    }.map(\.id)
  }
}

/// One update of a set, on one server.
struct PlannedUpdate: Hashable, Sendable {
  var id: String
  /// The pass that can install it, 1 to 3; nil when it does not apply.
  var pass: Int?
}

/// The updates that the simulated source offers: one month of a big vendor.
enum UpdateCatalogue {
  struct Update: Sendable {
    var id: UpdateID
    var kind: String
    var published: Instant
  }

  static let classes: Set<String> = ["security", "critical", "rollup", "definition", "feature"]

  static let updates: [Update] = (0..<40).map { number in
    let kinds = ["security", "security", "security", "critical", "rollup", "definition"]
    return Update(
      id: UpdateID(trusted: "KB50\(31_200 + number * 17)"), kind: kinds[number % kinds.count],
      // Tuesdays and the days after, in the autumn of 2025.
      published: Instant(milliseconds: 1_759_874_400_000 + Int64(number % 8) * 86_400_000))
  }
}

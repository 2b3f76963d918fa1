import AtlasEngine
import AtlasModel

/// How many transitions the engine makes in a second, on one core.
enum EngineSpeed {
  private static let rounds = 10

  /// The best of some rounds: what disturbs a round is not the engine.
  static func measure() -> Row {
    let best = (0..<rounds).map { _ in round() }.max() ?? 0
    return Row(
      name: "engine transitions", budget: "≥ 1,000,000/s (floor 500,000)",
      measured: "\(Int(best).grouped)/s")
  }

  private static func round() -> Double {
    var night = EngineNight(ShapedFleet(clients: 1_000, servers: 10), connected: true)
    night.create()
    night.start()
    let taken = night.work().taken
    precondition(night.state[campaign: EngineNight.campaign].state == .completed)
    return Double(night.transitions) / (taken / .seconds(1))
  }
}

/// What a run costs in memory, with all that the engine keeps because of it. Each in a process of
/// its own: what one has freed would hide what the next takes.
enum EngineMemory: String, CaseIterable {
  /// Created, and not begun: all of them share an empty box.
  case pending
  /// Right before FINALIZE, when it carries most; as many at once as there are.
  case inProgress = "in_progress"
  /// At its end, after a campaign with one server of each client at once.
  case completed

  private static let clients = 1_000
  private static let perClient = 100

  static func measure() throws -> [Row] {
    try allCases.map { state in
      let bytes = try Itself.figures("memory", state.rawValue)[0]
      return Row(
        name: "memory of a run \(state.words)", budget: "≤ 300 bytes",
        measured: "\(Int(bytes)) bytes")
    }
  }

  /// - Returns: bytes of a run.
  func figures() -> [Double] {
    let slots = self == .inProgress ? Self.perClient : 1
    let fleet = ShapedFleet(clients: Self.clients, servers: Self.perClient, slots: slots)
    var night = EngineNight(fleet, connected: true)
    let before = Machine.residentMemory
    reach(&night)
    night.forgetWorld()
    precondition(night.state[campaign: EngineNight.campaign].counts[kind] == Self.runs)
    return [Double(Machine.residentMemory - before) / Double(Self.runs)]
  }

  private static var runs: Int { clients * perClient }

  private func reach(_ night: inout EngineNight) {
    night.create()
    switch self {
    case .pending: return
    case .inProgress:
      night.start()
      night.work { $0.state.phase != .finalize }
    case .completed:
      night.start()
      // Time passes, so that what watched over a run's phases does not stay behind it.
      night.work(pace: .seconds(60))
    }
  }

  private var kind: RunState.Kind {
    switch self {
    case .pending: .pending
    case .inProgress: .inProgress
    case .completed: .completed
    }
  }

  private var words: String {
    switch self {
    case .pending: "that is pending"
    case .inProgress: "in progress"
    case .completed: "that is completed"
    }
  }
}

extension Int {
  /// With a comma after every three digits: `1,000,000`.
  var grouped: String {
    let digits = Array(String(self))
    return digits.indices.map { index in
      let left = digits.count - index
      return (left % 3 == 0 && index > 0 ? "," : "") + String(digits[index])
    }.joined()
  }
}

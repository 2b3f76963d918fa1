import AtlasControl
import AtlasEngine
import AtlasModel

/// What planning costs at three sizes of the fleet, each ten times the one before, and each in a
/// process of its own: the most memory that a process has had says nothing about one plan of
/// several.
enum PlanGrowth {
  private static let sizes = [10_000, 100_000, 1_000_000]
  /// So that a million fits into the clients that there may be.
  private static let perClient = 100

  static func measure() throws -> [Row] {
    var last: Cost?
    return try sizes.map { servers in
      let cost = Cost(try Itself.figures("plan", String(servers)))
      let growth = last.map { ", ×10 servers: \(cost.growth(from: $0))" } ?? ""
      last = cost
      let isLargest = servers == sizes.last
      return Row(
        name: "plan of \(servers.grouped) servers",
        budget: isLargest ? "≤ 20 s, ≤ 1 GB, ≤ linear" : "–", measured: cost.text + growth)
    }
  }

  /// - Returns: seconds of processor time, the most bytes that planning took beside the state, and
  ///   those of the state.
  static func figures(_ servers: Int) -> [Double] {
    let fleet = ShapedFleet(clients: servers / perClient, servers: perClient)
    var night = EngineNight(fleet, connected: true)
    night.create()
    let snapshot = ControlSnapshot(state: night.state, now: EngineNight.begin, demoFactor: 1)
    let before = Machine.residentMemory
    Machine.forgetPeak()
    let begin = Machine.processorTime
    guard let plan = try? snapshot.plan(CampaignName(trusted: EngineNight.name)) else {
      preconditionFailure("a good night can be planned")
    }
    let taken = Machine.processorTime - begin
    let peak = Machine.peakMemory
    precondition(plan.servers == servers && plan.misses.isEmpty && plan.finish > plan.start)
    return [taken / .seconds(1), Double(peak - before), Double(before)]
  }

  private struct Cost {
    let seconds: Double
    let bytes: Double
    let state: Double

    init(_ figures: [Double]) {
      (seconds, bytes, state) = (figures[0], figures[1], figures[2])
    }

    var text: String {
      "\(hundredths(seconds)) s, \(tenths(bytes / 1e6)) MB beside \(tenths(state / 1e6)) MB"
    }

    func growth(from last: Cost) -> String {
      "time ×\(tenths(seconds / last.seconds)), memory ×\(tenths(bytes / last.bytes))"
    }
  }
}

/// With one digit after the point.
func tenths(_ number: Double) -> String {
  let tenths = Int((number * 10).rounded())
  return "\(tenths / 10).\(tenths % 10)"
}

/// With two digits after the point.
func hundredths(_ number: Double) -> String {
  let hundredths = Int((number * 100).rounded())
  return "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10)"
}

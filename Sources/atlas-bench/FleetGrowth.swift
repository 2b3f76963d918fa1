import AtlasControl
import AtlasEngine
import AtlasModel

/// What planning costs at three sizes of the fleet, each ten times the one before.
enum PlanSpeed {
  private static let sizes = [10_000, 100_000, 1_000_000]
  /// So that a million fits into the clients that there may be.
  private static let perClient = 100

  static func measure() -> [Row] {
    var last: Duration?
    return sizes.map { servers in
      let (taken, bytes, state) = plan(servers)
      let growth = last.map { ", ×\(tenths(taken / $0)) for ×10" } ?? ""
      last = taken
      let isLargest = servers == sizes.last
      return Row(
        name: "plan of \(servers.grouped) servers", budget: isLargest ? "≤ 20 s, ≤ 1 GB" : "–",
        measured: "\(tenths(taken / .seconds(1))) s, \(bytes / 1_048_576) MB beside "
          + "\(state / 1_048_576) MB of state\(growth)")
    }
  }

  /// - Returns: processor time, the most memory that planning took, and what the state takes.
  private static func plan(_ servers: Int) -> (Duration, bytes: Int, state: Int) {
    var night = EngineNight(
      clients: servers / perClient, servers: perClient, connected: true)
    night.create()
    let snapshot = ControlSnapshot(state: night.state, now: EngineNight.now, demoFactor: 1)
    let before = Machine.residentMemory
    let begin = Machine.processorTime
    guard let plan = try? snapshot.plan(CampaignName(trusted: EngineNight.name)) else {
      preconditionFailure("a good night can be planned")
    }
    let taken = Machine.processorTime - begin
    precondition(plan.servers == servers && plan.misses.isEmpty && plan.finish > plan.start)
    return (taken, Machine.peakMemory - before, before)
  }
}

/// What one event costs at three sizes of the fleet: the same hundred clients are worked through,
/// while all the others of the campaign are in progress or wait beside them.
enum AdmissionGrowth {
  private static let fleets = [100, 1_000, 10_000]
  private static let worked = 100
  private static let perClient = 100
  private static let rounds = 5

  static func measure() -> [Row] {
    var first: Double?
    return fleets.map { clients in
      let cost = (0..<rounds).map { _ in round(clients) }.min() ?? 0
      let ratio = first.map { ", ×\(tenths(cost / $0)) of the smallest" } ?? ""
      first = first ?? cost
      return Row(
        name: "an event among \((clients * perClient).grouped) servers",
        budget: first == cost ? "–" : "must not grow",
        measured: "\(Int(cost.rounded()).grouped) ns\(ratio)")
    }
  }

  /// - Returns: nanoseconds of processor time for an event.
  private static func round(_ clients: Int) -> Double {
    var night = EngineNight(clients: clients, servers: perClient, connected: true)
    night.create()
    night.start()
    let taken = night.work(onlyServersBelow: worked * perClient)
    return (taken / .nanoseconds(1)) / Double(night.events)
  }
}

/// With one digit after the point.
func tenths(_ number: Double) -> String {
  let tenths = Int((number * 10).rounded())
  return "\(tenths / 10).\(tenths % 10)"
}

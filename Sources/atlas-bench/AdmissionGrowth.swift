import AtlasEngine
import AtlasModel

/// What one event costs at three sizes of the fleet, while about as many servers are in progress:
/// what grows is what waits beside them.
enum AdmissionGrowth {
  private static let fleets = [100, 1_000, 10_000]
  private static let perClient = 100
  /// Clients that are worked on where no cap says how many.
  private static let worked = 50

  /// How much is measured.
  private struct Effort {
    /// The smallest of some rounds counts: what disturbs a round is not the engine.
    let rounds: Int
    /// Until caps are full, queues are long and the first gate is open.
    let warmUp: Int
    let measured: Int

    static let usual = Effort(rounds: 3, warmUp: 40_000, measured: 40_000)
    /// Where an event may cost a thousand times as much.
    static let small = Effort(rounds: 1, warmUp: 1_000, measured: 1_000)
  }

  /// A fleet without anything, one with everything, and one in which all wait for the same.
  static func measure(print: (Row) -> Void) {
    measure(.plain, "plain", print)
    measure(.all, "all rules", print)
    measure([.caps, .resources, .shared], "shared under caps", print, .small)
  }

  /// Everything apart, to find out what grows.
  static func measureParts(print: (Row) -> Void) {
    measure(.caps, "caps", print)
    measure([.caps, .resources], "caps, resource", print)
    measure([.caps, .gates], "caps, gates", print)
    measure([.caps, .order], "caps, order", print)
    measure([.caps, .hosts], "caps, hosts", print)
    measure([.caps, .holds], "caps, holds", print)
    measure([.resources, .shared], "shared", print)
  }

  private static func measure(
    _ shape: FleetShape, _ name: String, _ print: (Row) -> Void, _ effort: Effort = .usual
  ) {
    var first: Round?
    for clients in fleets {
      let round = best(shape, clients, effort)
      let isFirst = first == nil
      let smallest = first ?? round
      first = smallest
      let servers = (clients * perClient).grouped
      print(
        Row(
          name: "event, \(name), \(servers) servers", budget: isFirst ? "–" : "must not grow",
          measured: "\(Int(round.cost).grouped) ns" + growth(round.cost, smallest.cost, isFirst)))
      guard let opening = round.opening, let small = smallest.opening else { continue }
      print(
        Row(
          name: "gate opens, \(name), \(servers) servers", budget: "–",
          measured: "\(tenths(opening)) ms" + growth(opening, small, isFirst)))
    }
  }

  private static func growth(_ value: Double, _ smallest: Double, _ isFirst: Bool) -> String {
    isFirst ? "" : ", ×\(tenths(value / smallest)) of the smallest"
  }

  /// Nanoseconds for an event, and milliseconds for the batch in which a gate opened.
  private typealias Round = (cost: Double, opening: Double?)

  private static func best(_ shape: FleetShape, _ clients: Int, _ effort: Effort) -> Round {
    let all = (0..<effort.rounds).map { _ in round(shape, clients, effort) }
    return (all.map(\.cost).min() ?? 0, all.compactMap(\.opening).min())
  }

  private static func round(_ shape: FleetShape, _ clients: Int, _ effort: Effort) -> Round {
    let fleet = ShapedFleet(
      clients: clients, servers: perClient, shape: shape, slots: shape.contains(.caps) ? 2 : 1)
    var night = EngineNight(fleet, connected: true)
    night.create()
    night.start()
    holdTroubled(&night)
    // With a cap, or one store, as much is in progress in any fleet; without, other clients stay as
    // they are.
    let isLimited = !shape.isDisjoint(with: [.caps, .shared])
    let last = isLimited ? Int.max : worked * perClient
    let before = night.work(upTo: effort.warmUp) { $0.server.index < last }
    let work = night.work(upTo: effort.measured) { $0.server.index < last }
    precondition(work.events >= effort.measured, "the campaign came to rest too early")
    return (work.cost, (before.opening ?? work.opening).map { $0 / .milliseconds(1) })
  }

  /// Lets the servers that are to be held come to that, and nothing else happen.
  private static func holdTroubled(_ night: inout EngineNight) {
    let fleet = night.fleet
    guard fleet.troubled > 0 else { return }
    night.work { fleet.isIll($0.server) }
    let counts = night.state[campaign: EngineNight.campaign].counts
    precondition(counts[.held] == fleet.troubled, "what is ill is held")
  }
}

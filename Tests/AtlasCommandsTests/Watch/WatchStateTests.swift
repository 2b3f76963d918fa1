import AtlasWire
import Testing

@testable import AtlasCommands

@Suite("The state of a view")
struct WatchStateTests {
  private func run(
    _ server: String, _ state: AtlasV1.RunState, order: Int32 = 1, number: Int32 = 1
  ) -> AtlasV1.ServerRun {
    AtlasV1.ServerRun(
      server: server, client: String(server.prefix(1)), ring: 2, state: state, order: order,
      number: number)
  }

  @Test("has a cell for each server, in the order of the lane; of several runs the newest counts")
  func cells() {
    var state = WatchState(name: "x")
    state.apply([
      run("B-2", .pending, order: 2), run("A-1", .failed), run("B-1", .completed),
      run("A-1", .inProgress, number: 9),
    ])
    #expect(
      state.clients == [
        WatchedClient(name: "A", ring: 2, cells: [.preparing], servers: ["A-1"]),
        WatchedClient(name: "B", ring: 2, cells: [.done, .waiting], servers: ["B-1", "B-2"]),
      ])
  }

  @Test("follows the records, and keeps the last of them")
  func records() {
    var state = WatchState(name: "x")
    state.apply([run("A-1", .pending)])
    for seq in 1...300 {
      state.apply(
        AtlasV1.Record(
          seq: UInt64(seq), client: "A", server: "A-1", fromState: .pending, toState: .inProgress,
          phase: .reboot))
    }
    #expect(state.clients.map(\.cells) == [[.rebooting]])
    #expect(state.events.map(\.seq) == Array(101...300))
  }

  @Test("merges figures that hold only what changed")
  func deltas() {
    var state = WatchState(name: "x")
    let one = AtlasV1.ClientMetrics(client: "A", servers: .init(total: 1))
    let two = AtlasV1.ClientMetrics(client: "B", servers: .init(total: 2))
    let newTwo = AtlasV1.ClientMetrics(client: "B", servers: .init(total: 2, completed: 1))
    state.apply(
      AtlasV1.StreamMetricsResponse(
        metrics: .init(servers: .init(total: 3), agentsConnected: 3, clientMetrics: [one, two]),
        snapshot: true))
    state.apply(
      AtlasV1.StreamMetricsResponse(metrics: .init(agentsConnected: 2, clientMetrics: [newTwo])))
    #expect(state.metrics?.clientMetrics == [one, newTwo])
    #expect(state.metrics?.servers?.total == 3)
    #expect(state.metrics?.agentsConnected == 2)
    // Without servers one by one, the figures tell about clients.
    #expect(state.clients.map(\.total) == [1, 2])
    #expect(state.clients.map(\.ended) == [0, 1])
  }

  @Test("knows when the daemon is away, until it hears from it again")
  func lost() {
    var state = WatchState(name: "x")
    let before = state.version
    state.lost = "gone"
    #expect(state.version > before)
    state.apply(AtlasV1.Record())
    #expect(state.lost == nil)
  }

  @Test("sorts clients by what needs somebody")
  func order() {
    let clients = [
      WatchedClient(name: "C", ring: 1, cells: [.waiting, .done]),
      WatchedClient(name: "A", ring: 2, cells: [.done, .done]),
      WatchedClient(name: "F", ring: 0, cells: [.failed, .failed, .waiting]),
      WatchedClient(name: "H", ring: 3, cells: [.held, .waiting]),
    ]
    let names = WatchOrder.allCases.map { order in order.sorted(clients).map(\.name).joined() }
    #expect(names == ["HFCA", "ACFH", "FCAH", "HCFA"])
  }

  @Test("tells every state of a server by its character alone")
  func glyphs() {
    for glyphs in [Glyphs.unicode, .ascii] {
      let characters = WatchCell.allCases.map { $0.glyph(glyphs) }
      #expect(Set(characters).count == characters.count)
      #expect(characters.allSatisfy { $0.columns == 1 })
    }
  }
}

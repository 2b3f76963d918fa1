import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// A database that was restored from a copy: what its servers have done since is not in it.
@Suite struct `A restored database` {
  private let first = "LAA-PARIS-APP01"
  private let second = "LAA-PARIS-APP02"

  private func order(_ fence: UInt64, for server: String) -> Command {
    Command(
      fence: Fence(fence), kind: .update, server: ServerName(trusted: server),
      campaign: CampaignName(trusted: "patch-11"), runKey: "patch-11/\(server)", attempt: 1,
      pass: 1)
  }

  @Test func `gives an untouched server back when another works on an order of nobody's`() {
    var world = EngineWorld(.laa([first, second]))
    world.campaign("patch-11")
    world.run(until: first, .preCheck)
    world.crash()
    // In the time that is lost the first was left out, and the second begun.
    world.change(second) {
      $0.journal(order(900, for: second))
      _ = $0.beginNext()
    }
    world.connect(first)
    world.connect(second)
    world.run(for: .seconds(600))
    let run = world.state[world.run(first)]
    #expect(run.state == .pending(notBefore: nil))
    #expect(run.attempt == 0)
    #expect(
      world.state.waits(world.run(first), now: world.now) == .unexplained(world.server(second)))
    world.finish(world.server(second), Fence(900))
    world.run(for: .seconds(60))
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  @Test func `begins nothing before all agents of the client have been heard`() {
    var world = EngineWorld(.laa([first, second]))
    world.campaign("patch-11")
    world.run(until: first, .preCheck)
    world.crash()
    world.connect(first)
    world.run(for: .seconds(600))
    #expect(world.state[world.run(first)].state == .pending(notBefore: nil))
    world.connect(second)
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }

  @Test func `holds a server whose agent has had orders that it does not know`() {
    var world = EngineWorld(.laa([first, second]))
    world.campaign("patch-11", policy: .with { $0.serverSoak = .seconds(3_600) })
    world.run(until: first, .soak)
    world.crash()
    world.change(first) {
      $0.journal(order(900, for: first))
      _ = $0.beginNext()
    }
    world.connect(second)
    world.connect(first)
    #expect(world.state[world.run(first)].state == .held(.agentStateLost))
    #expect(
      world.state[world.run(first)].details.content.lastError
        == "the agent has had orders that this database does not know")
    world.resolve(first, .accept)
    // It works still, and a person has said that this is all right.
    #expect(world.state[world.run(first)].state == .failed(.accepted))
    #expect(world.violations == [])
  }

  @Test func `is not suspected when the agents know no more than it does`() {
    var world = EngineWorld(.laa([first, second]))
    world.campaign("patch-11", policy: .with { $0.serverSoak = .seconds(3_600) })
    world.run(until: first, .soak)
    world.crash()
    for server in [second, first] { world.connect(server) }
    #expect(world.state[world.run(first)].state.phase == .soak)
    world.settle()
    #expect(world.state.campaigns[0].state == .completed)
    #expect(world.violations == [])
  }
}

/// A campaign whose time is up while an emergency stop keeps servers where they are.
@Suite struct `A server that is parked before its update` {
  private let first = "LAA-PARIS-APP01"

  private func stopped(_ carriesOver: Bool) -> EngineWorld {
    var world = EngineWorld(.laa([first]))
    world.campaign(
      "patch-11", policy: .with { $0.carryOver = carriesOver },
      endsAt: world.now + .seconds(4 * 3_600))
    world.run(until: first, .update)
    world.disconnect(first)
    return world
  }

  @Test(arguments: [false, true])
  func `is not attempted, or left for later, when its campaign ends`(carriesOver: Bool) {
    var world = stopped(carriesOver)
    world.stop()
    world.connect(first)
    guard case .parked(.update) = world.state[world.run(first)].state else {
      Issue.record("it is \(world.state[world.run(first)].state)")
      return
    }
    world.run(for: .seconds(5 * 3_600))
    #expect(
      world.state[world.run(first)].state.kind == (carriesOver ? .postponed : .notAttempted))
    #expect(world.state.campaigns[0].state.isTerminal)
    #expect(world.violations == [])
  }
}

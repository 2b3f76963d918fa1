import AtlasModel
import Testing

@testable import AtlasAgent

/// What the machine does in every state for every input, as one table to read.
@Suite struct AgentMachineTableTests {
  private static let states: [(name: String, make: @Sendable () -> AgentBench)] = [
    ("closed", { prepared([.started(bootID: "boot-1")]) }),
    ("opening", { prepared([.started(bootID: "boot-1"), .sessionOpened]) }),
    ("live", { AgentBench.live() }),
    (
      "7 not on disk",
      {
        var bench = AgentBench.live()
        _ = bench.handle(.command(7))
        return bench
      }
    ),
    ("7 updating", { prepared([.command(7)], from: .live()) }),
    ("7 downloading", { prepared([.command(7, .download)], from: .live()) }),
    ("7 updating, 9 waits", { prepared([.command(7), .command(9, .health)], from: .live()) }),
    (
      "reboot 7 waits for a session",
      {
        var bench = AgentBench.live()
        _ = bench.handle(.command(7, .reboot))
        _ = bench.handle(.sessionClosed)
        _ = bench.write()
        return bench
      }
    ),
    (
      "reboot 7 waits for a welcome",
      {
        var bench = AgentBench.live()
        _ = bench.handle(.command(7, .reboot))
        _ = bench.handle(.sessionClosed)
        _ = bench.write()
        _ = bench.handle(.sessionOpened)
        return bench
      }
    ),
    (
      "7 done",
      {
        let result = CommandResult(status: .succeeded)
        return prepared([.command(7), .driverFinished(Fence(7), result)], from: .live())
      }
    ),
  ]

  private static let inputs: [(name: String, input: AgentInput)] = [
    ("session opened", .sessionOpened),
    ("session closed", .sessionClosed),
    ("welcome", .message(.welcome(AgentBench.welcome()))),
    ("welcome with stop 13", .message(.welcome(AgentBench.welcome(stop: 13)))),
    ("command 5", .command(5)),
    ("command 7 again", .command(7)),
    ("command 11", .command(11)),
    ("cancel 12 of 7", .message(.cancel(fence: Fence(12), command: Fence(7)))),
    ("cancel 6 of 5", .message(.cancel(fence: Fence(6), command: Fence(5)))),
    ("stop 13", .message(.stop(fence: Fence(13)))),
    ("report 7/1 acknowledged", .message(.reportAcknowledgement(fence: Fence(7), seq: 1))),
    ("on disk", .journalWritten(.max)),
    ("driver will change 7", .driverWillChange(Fence(7))),
    ("driver progress 7", .driverProgress(Fence(7), ProgressReport(percent: 40))),
    ("driver finished 7", .driverFinished(Fence(7), CommandResult(status: .succeeded))),
    ("driver finished 99", .driverFinished(Fence(99), CommandResult(status: .succeeded))),
  ]

  private static func prepared(
    _ inputs: [AgentInput], from bench: AgentBench = AgentBench()
  ) -> AgentBench {
    var bench = bench
    for input in inputs { bench.settle(input) }
    return bench
  }

  @Test func `every input in every state does what the table says`() {
    var table = ""
    for state in Self.states {
      table += "\(state.name)\n"
      for input in Self.inputs {
        var bench = state.make()
        table += "  \(input.name): \(words(bench.handle(input.input)))\n"
      }
    }
    #expect(table == Self.table)
  }
}

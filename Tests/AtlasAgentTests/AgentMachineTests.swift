import AtlasAgent
import AtlasModel
import Testing

/// What an agent does in the situations it is made for.
@Suite struct AgentMachineTests {
  private let succeeded = CommandResult(status: .succeeded)

  @Test func `a command is journaled, acknowledged, begun and reported, in that order`() {
    var bench = AgentBench.live()
    #expect(words(bench.handle(.command(7))) == "write accepted 7, write begun 7")
    #expect(words(bench.write()) == "send accepted 7, start UPDATE 7")
    #expect(
      words(bench.handle(.driverFinished(Fence(7), succeeded)))
        == "write result 7/1 succeeded")
    #expect(words(bench.write()) == "send result 7/1 succeeded")
  }

  @Test func `nothing of a command that did not reach the disk is known after a crash`() {
    var bench = AgentBench.live()
    _ = bench.handle(.command(7))
    bench.crash()
    bench.settle(.started(bootID: "boot-1"))
    #expect(
      bench.settle(.sessionOpened) == [
        .send(.hello(Hello(server: AgentBench.server, agentVersion: "1.0.0", bootID: "boot-1")))
      ])
  }

  @Test func `changed is on disk before the first install may begin`() {
    var bench = AgentBench.live()
    bench.settle(.command(7))
    #expect(
      words(bench.handle(.driverWillChange(Fence(7))))
        == "write changed 7, write progress 7/1 0% changed")
    #expect(words(bench.write()) == "send progress 7/1 0% changed, permit 7")
    #expect(words(bench.settle(.driverWillChange(Fence(7)))) == "permit 7")
  }

  @Test func `a result says changed when the journal does`() {
    var bench = AgentBench.live()
    bench.settle(.command(7))
    bench.settle(.driverWillChange(Fence(7)))
    bench.settle(.driverFinished(Fence(7), CommandResult(status: .failed)))
    #expect(
      bench.machine.journal[Fence(7)]?.reports.last?.event
        == .result(CommandResult(status: .failed, changed: true)))
  }

  @Test func `progress behind an unacknowledged one is replaced and leaves no gap`() {
    var bench = AgentBench.live()
    bench.settle(.command(7))
    let percents = [10, 20, 30].map { ProgressReport(percent: $0) }
    #expect(
      percents.map { words(bench.settle(.driverProgress(Fence(7), $0))) }
        == ["send progress 7/1 10%", "-", "-"])
    #expect(
      words(bench.settle(.message(.reportAcknowledgement(fence: Fence(7), seq: 1))))
        == "send progress 7/2 30%")
    #expect(
      words(bench.settle(.driverFinished(Fence(7), succeeded))) == "send result 7/3 succeeded")
  }

  @Test func `a result takes the place of the progress that waits`() {
    var bench = AgentBench.live()
    bench.settle(.command(7))
    bench.settle(.driverProgress(Fence(7), ProgressReport(percent: 10)))
    bench.settle(.driverProgress(Fence(7), ProgressReport(percent: 20)))
    #expect(
      words(bench.settle(.driverFinished(Fence(7), succeeded))) == "send result 7/2 succeeded")
  }

  @Test func `reports without a session wait for the next hello`() {
    var bench = AgentBench.live()
    bench.settle(.command(7))
    bench.settle(.sessionClosed)
    #expect(words(bench.settle(.driverFinished(Fence(7), succeeded))) == "-")
    #expect(
      words(bench.settle(.sessionOpened)) == "send hello(highest 7, 7 done, 1 reports)")
    #expect(words(bench.settle(.message(.welcome(AgentBench.welcome())))) == "-")
  }

  @Test func `a report between hello and welcome follows the welcome`() {
    var bench = AgentBench.live()
    bench.settle(.command(7))
    bench.settle(.sessionClosed)
    bench.settle(.sessionOpened)
    #expect(words(bench.settle(.driverFinished(Fence(7), succeeded))) == "-")
    #expect(
      words(bench.settle(.message(.welcome(AgentBench.welcome()))))
        == "send result 7/1 succeeded")
  }

  @Test func `a hello carries what fits, the newest, and the rest follows the welcome`() {
    var bench = AgentBench.live()
    let updates = (0..<400).map {
      UpdateResult(update: UpdateID(trusted: "KB50\($0)"), outcome: .failed, code: "0x80070643")
    }
    for fence in UInt64(1)...10 {
      bench.settle(.command(fence))
      bench.settle(
        .driverFinished(Fence(fence), CommandResult(status: .failed, updates: updates)))
    }
    bench.settle(.sessionClosed)
    #expect(
      words(bench.settle(.sessionOpened)) == "send hello(highest 10, 10 done, 4 reports)")
    #expect(
      words(bench.settle(.message(.welcome(AgentBench.welcome()))))
        == (1...6).map { "send result \($0)/1 failed" }.joined(separator: ", "))
  }

  @Test func `commands run one after the other, lowest fence first`() {
    var bench = AgentBench.live()
    bench.settle(.command(7))
    #expect(words(bench.settle(.command(9, .health))) == "send accepted 9")
    #expect(
      words(bench.settle(.driverFinished(Fence(7), succeeded)))
        == "send result 7/1 succeeded, start HEALTH 9")
  }

  @Test func `a command that waits is refused once its latest time has passed`() {
    var bench = AgentBench.live()
    bench.settle(.command(7))
    bench.settle(.command(9, .health, notAfter: bench.now + .seconds(60)))
    bench.now = bench.now + .seconds(61)
    #expect(
      words(bench.settle(.driverFinished(Fence(7), succeeded)))
        == "send result 7/1 succeeded, send result 9/1 refused")
  }

  @Test func `a command that comes too late is accepted and refused by its result`() {
    var bench = AgentBench.live()
    #expect(
      words(bench.settle(.command(7, notAfter: bench.now - .milliseconds(1))))
        == "send accepted 7, send result 7/1 refused")
    #expect(
      words(bench.settle(.command(8, notAfter: bench.now))) == "send accepted 8, start UPDATE 8")
  }

  @Test func `a command for another server is refused and leaves no trace`() {
    var bench = AgentBench.live()
    let other = AgentBench.command(7, server: ServerName(trusted: "ZEN-LYON-WEB01"))
    #expect(words(bench.settle(.message(.command(other)))) == "send refused 7")
    #expect(bench.machine.journal.highestFence == .none)
  }

  @Test func `what the agent's own rules forbid is refused, and refused again`() {
    var bench = AgentBench.live(rules: AgentRules(forbidden: [.rollback]))
    #expect(words(bench.settle(.command(7, .rollback))) == "send refused 7")
    bench.crash()
    bench.settle(.started(bootID: "boot-1"))
    bench.settle(.sessionOpened)
    bench.settle(.message(.welcome(AgentBench.welcome())))
    #expect(words(bench.settle(.command(7, .rollback))) == "send refused 7")
  }

  @Test(arguments: [(nil, "refused"), (601, "refused"), (600, "accepted")] as [(Int64?, String)])
  func `an update needs the backup that the agent's own rules ask for`(
    age: Int64?, verdict: String
  ) {
    var bench = AgentBench.live(rules: AgentRules(backupWithin: .seconds(600)))
    var order = AgentBench.command(7)
    order.backupTakenAt = age.map { bench.now - .seconds($0) }
    #expect(words(bench.settle(.message(.command(order)))).hasPrefix("send \(verdict) 7"))
    #expect(words(bench.settle(.command(8, .health))).hasPrefix("send accepted 8"))
  }

  @Test func `more commands than an agent holds are refused`() {
    var bench = AgentBench.live()
    for fence in UInt64(1)...UInt64(AgentLimits.commands) { bench.settle(.command(fence)) }
    #expect(words(bench.settle(.command(100))) == "send refused 100")
    #expect(bench.machine.journal.commands.count == AgentLimits.commands)
  }
}

/// What boots, crashes, stops and cancels do.
@Suite struct AgentInterruptionTests {
  private let succeeded = CommandResult(status: .succeeded)

  @Test func `a reboot begins only in a live session`() {
    var bench = AgentBench.live()
    bench.settle(.command(7))
    bench.settle(.command(8, .reboot))
    bench.settle(.sessionClosed)
    #expect(words(bench.settle(.driverFinished(Fence(7), succeeded))) == "-")
    bench.settle(.sessionOpened)
    #expect(
      words(bench.settle(.message(.welcome(AgentBench.welcome()))))
        == "start REBOOT 8")
  }

  @Test func `what has waited is refused outside the hours of the agent's own rules`() {
    var bench = AgentBench.live(
      rules: AgentRules(hours: [DailyHours(startMinute: 0, endMinute: 60)]))
    bench.settle(.command(7))
    bench.settle(.command(8, .reboot))
    bench.now = bench.now + .seconds(2 * 3_600)
    #expect(
      words(bench.settle(.driverFinished(Fence(7), succeeded)))
        == "send result 7/1 succeeded, send result 8/1 refused")
  }

  @Test func `a stop that the welcome tells of comes before what waits`() {
    var bench = AgentBench.live()
    _ = bench.handle(.command(8, .reboot))
    _ = bench.handle(.sessionClosed)
    _ = bench.write()
    bench.settle(.sessionOpened)
    #expect(
      words(bench.settle(.message(.welcome(AgentBench.welcome(stop: 20)))))
        == "send result 8/1 cancelled")
    #expect(words(bench.settle(.command(15))) == "send stale 15 (8 done)")
    #expect(words(bench.settle(.command(21, .health))) == "send accepted 21, start HEALTH 21")
  }

  @Test(arguments: [
    (CommandKind.reboot, "boot-1", "resume REBOOT 7 after agentRestarted"),
    (CommandKind.reboot, "boot-2", "resume REBOOT 7 after orderedBoot"),
    (CommandKind.update, "boot-1", "resume UPDATE 7 after agentRestarted"),
    (CommandKind.update, "boot-2", "resume UPDATE 7 after unexpectedBoot"),
  ])
  func `a command that had begun is looked at again, never begun again`(
    kind: CommandKind, bootID: String, resumed: String
  ) {
    var bench = AgentBench.live()
    bench.settle(.command(7, kind))
    bench.crash()
    #expect(words(bench.settle(.started(bootID: bootID))) == resumed)
    bench.settle(.sessionOpened)
    bench.settle(.message(.welcome(AgentBench.welcome())))
    #expect(words(bench.settle(.command(7, kind))) == "send accepted 7 (7 begun)")
    #expect(
      words(bench.settle(.driverFinished(Fence(7), succeeded))) == "send result 7/1 succeeded")
  }

  @Test func `a boot of an idle server is no more than a new boot id`() {
    var bench = AgentBench.live()
    bench.crash()
    #expect(words(bench.settle(.started(bootID: "boot-2"))) == "-")
    #expect(bench.machine.makeHello().bootID == "boot-2")
  }

  @Test func `a result that was on disk is told after the crash, under the same number`() {
    var bench = AgentBench.live()
    bench.settle(.command(7))
    bench.settle(.driverProgress(Fence(7), ProgressReport(percent: 10)))
    bench.settle(.message(.reportAcknowledgement(fence: Fence(7), seq: 1)))
    _ = bench.handle(.driverFinished(Fence(7), succeeded))
    bench.crash(survivors: .max)
    bench.settle(.started(bootID: "boot-1"))
    #expect(bench.machine.makeHello().reports.map(\.seq) == [2])
  }

  @Test func `a cancel takes back what has not begun, also after a crash in between`() {
    var bench = AgentBench.live()
    bench.settle(.command(7))
    bench.settle(.command(8, .health))
    _ = bench.handle(.message(.cancel(fence: Fence(12), command: Fence(8))))
    bench.crash(survivors: 1)
    #expect(
      words(bench.settle(.started(bootID: "boot-1"))) == "resume UPDATE 7 after agentRestarted")
    #expect(bench.machine.journal[Fence(8)]?.progress == .done)
  }

  @Test func `a cancel of what has begun lets it go on and says so`() {
    var bench = AgentBench.live()
    bench.settle(.command(7))
    let cancel = AgentInput.message(.cancel(fence: Fence(12), command: Fence(7)))
    #expect(words(bench.settle(cancel)) == "send accepted 12 (7 begun)")
    #expect(words(bench.settle(cancel)) == "send accepted 12 (7 begun)")
    #expect(bench.machine.runningFence == Fence(7))
  }

  @Test func `a cancel that overtakes its command makes it stale`() {
    var bench = AgentBench.live()
    bench.settle(.message(.cancel(fence: Fence(12), command: Fence(7))))
    #expect(words(bench.settle(.command(7))) == "send stale 7")
  }

  @Test func `a stop takes back what waits, lets the installer go on, and stops a download`() {
    var bench = AgentBench.live()
    bench.settle(.command(7, .download))
    bench.settle(.command(8))
    #expect(
      words(bench.settle(.message(.stop(fence: Fence(20)))))
        == "cancel driver 7, send result 8/1 cancelled, send accepted 20")
    #expect(
      words(bench.settle(.driverFinished(Fence(7), CommandResult(status: .cancelled))))
        == "send result 7/1 cancelled")
    #expect(words(bench.settle(.command(21, .rollback))) == "send accepted 21, start ROLLBACK 21")
  }

  @Test func `a stop below a command that has come already spares it`() {
    var bench = AgentBench.live()
    bench.settle(.command(7))
    bench.settle(.command(22, .rollback))
    #expect(words(bench.settle(.message(.stop(fence: Fence(20))))) == "send accepted 20")
    #expect(
      words(bench.settle(.driverFinished(Fence(7), succeeded)))
        == "send result 7/1 succeeded, start ROLLBACK 22")
  }

  @Test func `a stopped download is stopped again after a restart`() {
    var bench = AgentBench.live()
    bench.settle(.command(7, .download))
    bench.settle(.message(.stop(fence: Fence(20))))
    bench.crash()
    #expect(
      words(bench.settle(.started(bootID: "boot-1")))
        == "resume DOWNLOAD 7 after agentRestarted, cancel driver 7")
  }

  @Test func `hours of the agent's own rules are held against the instant of the command`() {
    let rules = AgentRules(hours: [DailyHours(startMinute: 22 * 60, endMinute: 6 * 60)])
    let update = AgentBench.command(7)
    let noon = Instant(milliseconds: 12 * 3_600_000)
    let night = Instant(milliseconds: (24 + 3) * 3_600_000)
    #expect(
      rules.refusal(toBegin: update, now: noon)
        == "this server's own rules forbid UPDATE at this hour")
    #expect(rules.refusal(toBegin: update, now: night) == nil)
    #expect(rules.refusal(toBegin: AgentBench.command(8, .health), now: noon) == nil)
  }

  @Test func `a probe is answered in the session it came in, with what its own rules forbid`() {
    let rules = AgentRules(
      hours: [DailyHours(startMinute: 1_320, endMinute: 365)], forbidden: [.rollback])
    var bench = AgentBench.live(rules: rules)
    let probe = Probe(number: 5, updateSet: UpdateSet())
    #expect(bench.handle(.message(.probe(probe))) == [.probe(probe)])
    let noProgram = ExpectedRefusal(kind: .snapshot, reason: "no program")
    let facts = ServerFacts(freeDisk: 7, refusals: [noProgram])
    var told = facts
    told.refusals = [
      ExpectedRefusal(kind: .rollback, reason: "this server's own rules forbid ROLLBACK"),
      ExpectedRefusal(
        kind: .update, atSomeHours: true,
        reason: "this server's own rules allow UPDATE at 22:00-06:05 UTC only"),
      ExpectedRefusal(
        kind: .reboot, atSomeHours: true,
        reason: "this server's own rules allow REBOOT at 22:00-06:05 UTC only"),
      noProgram,
    ]
    #expect(
      bench.handle(.driverProbed(5, facts)) == [
        .send(.probed(ProbeAnswer(number: 5, facts: told)))
      ])
    bench.settle(.sessionClosed)
    #expect(bench.handle(.driverProbed(5, facts)) == [])
  }
}

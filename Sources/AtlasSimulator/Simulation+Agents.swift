import AtlasAgent
import AtlasChecker
import AtlasModel

/// Agents: processes that start, connect, crash and come back.
extension Simulation {
  func addMachine(_ planned: PlannedServer, of client: PlannedClient) {
    var machine = Machine(number: machines.count, planned, of: client.config.name)
    if planned.ailments.contains(.offline) {
      machine.offlineUntil = now + agentRandom.seconds(0...60 * 3_600)
    }
    machineOf[machine.server] = machine.number
    machines.append(machine)
    let delay = machine.offlineUntil.map { $0 - now } ?? .seconds(600)
    after(delay + agentRandom.seconds(0...300), .agentStarts(machine: machine.number, life: 0))
  }

  /// What the agent of a machine takes for the time.
  func believed(_ machine: Int) -> Instant { now + machines[machine].clockError }

  /// - Parameter life: The process that ended before.
  func startAgent(_ number: Int, life: Int) {
    guard machines[number].isUp, machines[number].life == life, machines[number].process == nil,
      !machines[number].isGone
    else { return }
    if waitsForPause(number, .agentStarts(machine: number, life: life)) { return }
    machines[number].life += 1
    machines[number].clockError = machines[number].hardwareClockError
    machines[number].unwritten = []
    machines[number].process = AgentMachine(
      server: machines[number].server, version: machines[number].traits.agentVersion,
      rules: machines[number].rules,
      journal: JournalState(replaying: machines[number].journal))
    tellAgent(number, .started(bootID: machines[number].bootID))
    planConnect(number, after: agentRandom.milliseconds(100...5_000))
  }

  func planConnect(_ number: Int, after delay: Duration) {
    guard !machines[number].isConnecting else { return }
    machines[number].isConnecting = true
    after(delay, .agentConnects(machine: number, life: machines[number].life))
  }

  func connect(_ number: Int, life: Int) {
    guard machines[number].life == life, machines[number].process != nil else { return }
    if waitsForPause(number, .agentConnects(machine: number, life: life)) { return }
    machines[number].isConnecting = false
    guard let link = openLink(for: number) else {
      return planConnect(number, after: networkRandom.seconds(5...60))
    }
    machines[number].link = link
    tellAgent(number, .sessionOpened)
  }

  /// A machine that stands still does everything later.
  func waitsForPause(_ number: Int, _ happening: Happening) -> Bool {
    guard let later = machines[number].pausedUntil else { return false }
    guard later > now else {
      machines[number].pausedUntil = nil
      return false
    }
    agenda.plan(happening, at: later)
    return true
  }

  func agentLosesLink(_ link: Int) {
    let number = links[link].machine
    guard machines[number].link == link, machines[number].life == links[link].agentLife else {
      return
    }
    machines[number].link = nil
    tellAgent(number, .sessionClosed)
    planConnect(number, after: networkRandom.seconds(1...30))
  }

  func tellAgent(_ number: Int, _ input: AgentInput) {
    guard machines[number].process != nil else { return }
    let time = believed(number)
    let actions = machines[number].process?.handle(input, now: time) ?? []
    for action in actions {
      perform(action, at: number)
      guard machines[number].process != nil else { return }
    }
  }

  private func perform(_ action: AgentAction, at number: Int) {
    switch action {
    case .journal(let entry, let entryNumber):
      machines[number].unwritten.append((entryNumber, entry))
      if case .accepted(let command) = entry {
        checker.took(command.fence.number)
        orderIsTaken(at: number)
        mayStayAway(with: command, on: number)
        guard machines[number].process != nil else { return }
      }
      if case .begun(let fence) = entry {
        let time = believed(number).milliseconds
        checker.decidedToBegin(fence.number, on: number, believed: time)
        noteBegun(fence, by: number)
      }
      guard !entry.mayWait else { return }
      after(
        storeRandom.milliseconds(1...30),
        .journalIsWritten(
          machine: number, life: machines[number].life, number: entryNumber))
    case .send(let message):
      if let link = machines[number].link {
        noteSending(message, of: number)
        send(message, on: link)
      }
    case .startDriver(let command): startDriver(command, on: number)
    case .resumeDriver(let command, let changed, let interruption):
      resumeDriver(command, on: number, changed: changed, after: interruption)
    case .permitChange(let fence): permitChange(fence, on: number)
    case .cancelDriver(let fence): cancelDriver(fence, on: number)
    // Nobody asks here: what a probe finds, nothing is decided by.
    case .probe: break
    case .endSession(let fault):
      tell("\(machines[number].server) ends its session: \(fault)")
      guard let link = machines[number].link else { return }
      machines[number].link = nil
      links[link].isOpenAtAgent = false
      after(networkRandom.milliseconds(5...500), .linkBreaks(link, .daemon))
      planConnect(number, after: networkRandom.seconds(1...30))
    }
  }

  /// The agent has an order, and some have bad luck at that moment.
  private func orderIsTaken(at number: Int) {
    guard !faultsAreOver, faultRandom.happens(plan.menu.fragile) else { return }
    let delay = faultRandom.milliseconds(0...40)
    somebodyStops(machines[number].client)
    if faultRandom.happens(500) {
      after(delay, .agentCrashes(machine: number, life: machines[number].life))
    } else if let link = machines[number].link {
      after(delay, .linkBreaks(link, .agent))
    }
  }

  func journalIsWritten(_ number: Int, life: Int, number entry: UInt64) {
    guard machines[number].life == life, machines[number].process != nil else { return }
    if waitsForPause(number, .journalIsWritten(machine: number, life: life, number: entry)) {
      return
    }
    let written = machines[number].unwritten.prefix { $0.number <= entry }
    machines[number].journal += written.map(\.entry)
    machines[number].unwritten.removeFirst(written.count)
    tellAgent(number, .journalWritten(entry))
  }

  /// The agent's process ends. What it had not written is gone, or was written in part.
  func endProcess(_ number: Int) {
    guard machines[number].process != nil else { return }
    let torn = agentRandom.number(0...machines[number].unwritten.count)
    machines[number].journal += machines[number].unwritten.prefix(torn).map(\.entry)
    machines[number].unwritten = []
    machines[number].process = nil
    machines[number].isConnecting = false
    if case .works? = machines[number].job?.step, machines[number].job?.command.kind == .update {
      // The installer is a process of its own, and goes on.
    } else {
      machines[number].job = nil
    }
    guard let link = machines[number].link else { return }
    machines[number].link = nil
    links[link].isOpenAtAgent = false
    after(networkRandom.milliseconds(5...30_000), .linkBreaks(link, .daemon))
  }

  func crashAgent(_ number: Int, back delay: Duration) {
    guard machines[number].process != nil else { return }
    tell("the agent of \(machines[number].server) crashes")
    endProcess(number)
    after(delay, .agentStarts(machine: number, life: machines[number].life))
  }

  /// The server goes down, and comes up again later.
  func goDown(_ number: Int, for duration: Duration) {
    guard machines[number].isUp else { return }
    tell("\(machines[number].server) goes down")
    endProcess(number)
    machines[number].job = nil
    machines[number].isUp = false
    after(duration, .boots(machine: number))
    takeGuestsDown(with: number, for: duration)
  }

  /// Guests go down with their host, unless it has moved them away, and come up after it.
  private func takeGuestsDown(with number: Int, for duration: Duration) {
    guard let host = serverConfigs[machines[number].server], !host.migratesGuests else { return }
    for guest in machines.indices
    where serverConfigs[machines[guest].server]?.host == host.name && !machines[guest].isClone {
      goDown(guest, for: duration + agentRandom.seconds(30...600))
    }
  }

  func boot(_ number: Int) {
    guard !machines[number].isUp, !machines[number].isGone else { return }
    tell("\(machines[number].server) has booted")
    machines[number].isUp = true
    machines[number].boots += 1
    machines[number].owesBoot = false
    after(
      agentRandom.seconds(2...30), .agentStarts(machine: number, life: machines[number].life))
  }
}

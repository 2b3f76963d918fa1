import AtlasChecker
import AtlasControl
import AtlasModel

/// A connection of an agent to the daemon. Within one everything arrives in order, or the network
/// is broken: then it may arrive late, twice, out of order, or not at all until keepalive has
/// ended the connection.
struct Link {
  let machine: Int
  /// The life of the agent's process that opened it, and of the daemon that it was opened to.
  let agentLife: Int
  let daemonLife: Int
  var isOpenAtAgent = true
  var isOpenAtDaemon = true
  var hasSaidHello = false
  var toDaemonIsCut = false
  var toAgentIsCut = false
  var isDoomed = false
  var lastToDaemon: Instant
  var lastToAgent: Instant
}

extension Simulation {
  func session(of link: Int) -> SessionID { SessionID(UInt64(link) + 1) }
  func link(of session: SessionID) -> Int { Int(session.number) - 1 }

  /// Opens a connection, if the network and the daemon let it.
  /// - Returns: Its number; nil when nobody answers.
  func openLink(for machine: Int) -> Int? {
    guard let daemon, providerIsDownUntil <= now,
      darkUntil[machines[machine].client] ?? now <= now,
      machines[machine].isAloneUntil ?? now <= now
    else { return nil }
    links.append(
      Link(
        machine: machine, agentLife: machines[machine].life, daemonLife: daemon.life,
        lastToDaemon: now, lastToAgent: now))
    return links.count - 1
  }

  /// The agent says something.
  func send(_ message: AgentMessage, on number: Int) {
    guard !links[number].toDaemonIsCut else { return }
    if isLost(on: number) {
      links[number].toDaemonIsCut = true
      return doom(number)
    }
    let arrival = arrivalTime(last: links[number].lastToDaemon)
    links[number].lastToDaemon = max(links[number].lastToDaemon, arrival)
    agenda.plan(.arrives(link: number, .toDaemon(message)), at: arrival)
    if case .hello = message { return }
    if isDoubled() {
      agenda.plan(
        .arrives(link: number, .toDaemon(message)), at: arrival + networkRandom.seconds(0...30))
    }
  }

  /// The daemon says something.
  func send(_ message: DaemonMessage, to session: SessionID) {
    let number = link(of: session)
    guard links[number].isOpenAtDaemon else { return }
    watch(message, to: links[number].machine, on: number)
    guard !links[number].toAgentIsCut else { return }
    if isLost(on: number) {
      links[number].toAgentIsCut = true
      return doom(number)
    }
    let arrival = arrivalTime(last: links[number].lastToAgent)
    links[number].lastToAgent = max(links[number].lastToAgent, arrival)
    agenda.plan(.arrives(link: number, .toAgent(message)), at: arrival)
    if case .command(let command) = message { mayStandStill(before: command, on: number) }
    if case .welcome = message { return }
    if isDoubled() {
      agenda.plan(
        .arrives(link: number, .toAgent(message)), at: arrival + networkRandom.seconds(0...30))
    }
  }

  private func arrivalTime(last: Instant) -> Instant {
    var delay = networkRandom.milliseconds(2...40)
    if !faultsAreOver, networkRandom.happens(plan.menu.late) {
      delay = networkRandom.seconds(1...90)
    }
    let isEarly = !faultsAreOver && networkRandom.happens(plan.menu.reordered)
    return isEarly ? now + delay : max(now + delay, last)
  }

  private func isLost(on number: Int) -> Bool {
    !faultsAreOver && networkRandom.happens(plan.menu.lost)
  }

  private func isDoubled() -> Bool {
    !faultsAreOver && networkRandom.happens(plan.menu.doubled)
  }

  /// Nothing arrives any more in one direction at least: keepalive ends the connection, at each end
  /// when that end notices.
  func doom(_ number: Int) {
    guard !links[number].isDoomed else { return }
    links[number].isDoomed = true
    after(networkRandom.seconds(20...35), .linkBreaks(number, .daemon))
    after(networkRandom.seconds(20...120), .linkBreaks(number, .agent))
  }

  /// One end notices that a connection is over.
  func breakLink(_ number: Int, at end: Happening.End) {
    switch end {
    case .agent:
      guard links[number].isOpenAtAgent else { return }
      links[number].isOpenAtAgent = false
      trace.mix(number)
      agentLosesLink(number)
      if links[number].isOpenAtDaemon, !links[number].isDoomed {
        after(networkRandom.milliseconds(5...2_000), .linkBreaks(number, .daemon))
      }
    case .daemon:
      guard links[number].isOpenAtDaemon else { return }
      links[number].isOpenAtDaemon = false
      if links[number].hasSaidHello {
        tellDaemon(.sessionClosed(session(of: number)))
        noteSession(of: machines[links[number].machine].server)
      }
      if links[number].isOpenAtAgent, !links[number].isDoomed {
        after(networkRandom.milliseconds(5...2_000), .linkBreaks(number, .agent))
      }
    }
  }

  func endSession(_ session: SessionID, _ reason: String) {
    let number = link(of: session)
    tell("the daemon ends the session of \(machines[links[number].machine].server): \(reason)")
    links[number].isOpenAtDaemon = false
    noteSession(of: machines[links[number].machine].server)
    after(networkRandom.milliseconds(5...2_000), .linkBreaks(number, .agent))
  }

  func arrive(_ parcel: Parcel, on number: Int) {
    switch parcel {
    case .toDaemon(let message):
      guard links[number].isOpenAtDaemon, daemon?.life == links[number].daemonLife else { return }
      arriveAtDaemon(message, on: number)
    case .toAgent(let message):
      let machine = links[number].machine
      guard links[number].isOpenAtAgent, machines[machine].life == links[number].agentLife else {
        return
      }
      if let later = machines[machine].pausedUntil, later > now {
        return agenda.plan(.arrives(link: number, .toAgent(message)), at: later)
      }
      watchArrival(message, at: machine, on: number)
      tellAgent(machine, .message(message))
    }
  }

  private func arriveAtDaemon(_ message: AgentMessage, on number: Int) {
    let server = machines[links[number].machine].server
    switch message {
    case .hello(let hello):
      links[number].hasSaidHello = true
      noteHello(hello, on: number)
      for report in hello.reports { noteReport(report, of: server) }
      tellDaemon(.sessionOpened(session(of: number), hello))
      noteSession(of: server)
    case .report(let report):
      guard links[number].hasSaidHello else { return }
      noteReport(report, of: server)
      tellDaemon(.agentMessage(session(of: number), message))
    case .acknowledgement(let answer):
      // What overtakes the hello is dropped: a session begins with it.
      guard links[number].hasSaidHello else { return }
      if answer.verdict == .accepted { checker.acknowledged(answer.fence.number) }
      tellDaemon(.agentMessage(session(of: number), message))
    case .probed: break
    }
  }
}

import AtlasChecker
import AtlasControl
import AtlasModel
import AtlasStore

/// Things that go wrong, when the seed says so.
extension Simulation {
  func planFaults() {
    let first = SeedPlan.campaignsAt
    let span = (SeedPlan.faultsEnd - first).milliseconds
    for number in 0..<plan.menu.moments {
      let at = plan.start + first + .milliseconds(faultRandom.number(0...Int(span)))
      let kind = plan.menu.draw(&faultRandom)
      if !plan.leftOut.contains(.moment(number)) { agenda.plan(.fault(kind), at: at) }
    }
    for spell in plan.spells { agenda.plan(.spell(spell), at: plan.start + spell.at) }
    // Copies of the database, taken every six hours.
    guard plan.menu.kinds.contains(.databaseRestored) else { return }
    for hours in stride(from: 3, to: 58, by: 6) {
      agenda.plan(.databaseIsCopied, at: plan.start + .seconds(hours * 3_600))
    }
  }

  func endFaults() {
    faultsAreOver = true
    storeIsSlowUntil = now
    diskIsFullUntil = now
    providerIsDownUntil = now
    darkUntil = [:]
    sourceIsSilentUntil = now
    sourcesAreSilentUntil = [:]
    daemon?.diesAfter = nil
    daemon?.commitFault = nil
    for index in links.indices where links[index].toDaemonIsCut || links[index].toAgentIsCut {
      doom(index)
    }
    for index in machines.indices {
      if let until = machines[index].pausedUntil, until > now + .seconds(600) {
        machines[index].pausedUntil = now + .seconds(600)
      }
      machines[index].isAloneUntil = nil
      if machines[index].isClone { retireClone(index) }
    }
    for number in machines.indices where machines[number].offlineUntil ?? now > now {
      after(
        faultRandom.seconds(0...600),
        .agentStarts(machine: number, life: machines[number].life))
    }
  }

  func inject(_ kind: FaultKind) {
    guard !plan.menu.off.contains(kind) else { return }
    trace.mix(kind.weight)
    tell("fault: \(kind.rawValue)")
    let victim = faultRandom.number(0...machines.count - 1)
    somebodyStops(machines[victim].client)
    switch kind {
    case .linkBreaks:
      if let link = machines[victim].link { doom(link) }
    case .oneWayCut:
      guard let link = machines[victim].link else { return }
      if faultRandom.happens(500) {
        links[link].toDaemonIsCut = true
      } else {
        links[link].toAgentIsCut = true
      }
      doom(link)
    case .clientDark: darken(machines[victim].client, for: faultRandom.minutes(1...90))
    case .providerDown: cutLine(for: faultRandom.minutes(1...30))
    case .agentCrashes: crashAgent(busyMachine() ?? victim, back: faultRandom.seconds(1...900))
    case .serverPauses:
      let number = busyMachine() ?? victim
      machines[number].pausedUntil = now + faultRandom.minutes(1...60)
      if let link = machines[number].link { doom(link) }
    case .clockJumps:
      machines[victim].hardwareClockError = .seconds(faultRandom.pick([-3_600, 3_600]))
      if isOn(.clockStaysWrong) {
        machines[victim].isAloneUntil = now + clockRandom.minutes(5...60)
      }
      if machines[victim].process != nil { crashAgent(victim, back: faultRandom.seconds(1...60)) }
    case .comesBackTwice: comeBack(busyMachine() ?? victim)
    case .isCloned: clone(busyMachine() ?? victim)
    case .bootedByHand: goDown(busyMachine() ?? victim, for: faultRandom.minutes(2...15))
    case .daemonDies: killDaemon("somebody killed it")
    case .daemonDiesAtBoundary:
      daemon?.diesAfter = faultRandom.number(0...25)
      daemon?.isShortLived = false
    case .secondDaemon: after(.zero, .secondDaemonStarts)
    case .databaseRestored: restoreDatabase()
    case .storeFails: daemon?.commitFault = .failed
    case .storeLosesUnknown: daemon?.commitFault = .unknownAndLost
    case .storeKeepsUnknown: daemon?.commitFault = .unknownAndKept
    case .storeIsSlow: storeIsSlowUntil = now + faultRandom.minutes(1...20)
    case .sourceVanishes, .hooksDeferForEver, .peopleMeddle, .clockStaysWrong, .diskStaysFull,
      .daemonDiesRecovering:
      break
    }
  }

  func isOn(_ kind: FaultKind) -> Bool {
    plan.menu.kinds.contains(kind) && !plan.menu.off.contains(kind)
  }

  /// Something goes wrong for a while.
  func begin(_ spell: Spell) {
    guard !plan.menu.off.contains(spell.kind) else { return }
    trace.mix(spell.lasts.milliseconds.magnitude)
    tell("fault: \(spell.kind.rawValue) \(spell.client?.text ?? "") for \(spell.lasts.text)")
    switch spell.kind {
    case .sourceVanishes: silenceSource(of: spell.client, for: spell.lasts)
    case .diskStaysFull: diskIsFullUntil = max(diskIsFullUntil, now + spell.lasts)
    case _: break
    }
  }

  private func silenceSource(of client: ClientName?, for duration: Duration) {
    guard let client else {
      sourceIsSilentUntil = max(sourceIsSilentUntil, now + duration)
      return
    }
    sourcesAreSilentUntil[client] = now + duration
  }

  /// In seeds whose sources vanish, they also do so when a server is being changed that needs them
  /// once more.
  func maySilenceSource(whileChanging number: Int) {
    let ailments = machines[number].ailments
    guard isOn(.sourceVanishes), !faultsAreOver,
      ailments.contains(.threePasses) || ailments.contains(.installFailsOnce),
      sourceRandom.happens(200)
    else { return }
    tell("the update source of \(machines[number].client) falls silent")
    silenceSource(of: machines[number].client, for: sourceRandom.minutes(10...120))
  }

  func isSourceSilent(for client: ClientName) -> Bool {
    sourceIsSilentUntil > now || sourcesAreSilentUntil[client].map { $0 > now } ?? false
  }

  /// Something goes wrong, and somebody who sees it stops the client, or everything.
  func somebodyStops(_ client: ClientName, certainly: Bool = false) {
    guard plan.menu.interventions > 0, certainly || peopleRandom.happens(60) else { return }
    let stop = Change.stop(peopleRandom.happens(800) ? client : nil, reason: "it looks bad")
    after(peopleRandom.seconds(5...240), .person(.changes(stop, method: "EmergencyStop")))
    let release = Change.releaseStop(client, reason: "it was not")
    after(peopleRandom.minutes(20...120), .person(.changes(release, method: "ReleaseStop")))
    let releaseAll = Change.releaseStop(nil, reason: "it was not")
    after(peopleRandom.minutes(120...180), .person(.changes(releaseAll, method: "ReleaseStop")))
    after(
      peopleRandom.minutes(180...240),
      .person(.changes(.resumeClient(client), method: "ResumeClient")))
    for campaign in plan.campaigns {
      let resume = Change.resumeCampaign(campaign.name, .all, now: false)
      after(peopleRandom.minutes(190...240), .person(.changes(resume, method: "ResumeCampaign")))
    }
  }

  /// Now and then a virtual machine stands still right before an order reaches it, and its clock
  /// with it. When it goes on it reads the order first, and learns later that its session is over.
  func mayStandStill(before command: Command, on link: Int) {
    let number = links[link].machine
    guard isOn(.clockStaysWrong), !faultsAreOver, clockRandom.happens(10),
      machines[number].pausedUntil == nil, !links[link].isDoomed
    else { return }
    let pause = clockRandom.minutes(1...60)
    tell("\(command.server) stands still, and its clock with it")
    machines[number].pausedUntil = now + pause
    machines[number].clockError -= pause
    links[link].isDoomed = true
    after(clockRandom.seconds(20...35), .linkBreaks(link, .daemon))
    after(pause + clockRandom.seconds(1...60), .linkBreaks(link, .agent))
  }

  /// A server that has something to do is the better victim.
  private func busyMachine() -> Int? {
    let busy = machines.indices.filter { machines[$0].job != nil }
    return busy.isEmpty || faultRandom.happens(300) ? nil : faultRandom.pick(busy)
  }

  func cutLine(for duration: Duration) {
    providerIsDownUntil = now + duration
    for index in links.indices where links[index].isOpenAtAgent { doom(index) }
  }

  func darken(_ client: ClientName, for duration: Duration) {
    darkUntil[client] = now + duration
    for index in links.indices
    where links[index].isOpenAtAgent && machines[links[index].machine].client == client {
      doom(index)
    }
  }

  /// The agent's process opens a new session before the daemon knows that the old one is over.
  private func comeBack(_ number: Int) {
    guard let link = machines[number].link else { return }
    links[link].isOpenAtAgent = false
    machines[number].link = nil
    tellAgent(number, .sessionClosed)
    after(faultRandom.seconds(20...60), .linkBreaks(link, .daemon))
    planConnect(number, after: faultRandom.milliseconds(10...2_000))
  }

  /// A copy of a virtual machine starts beside it, with the same name and the same journal.
  private func clone(_ number: Int) {
    guard machines[number].isUp, !machines[number].isClone, !machines[number].isGone else { return }
    var copy = machines[number].copy(number: machines.count)
    copy.isClone = true
    machines.append(copy)
    checker.cloned(number, as: copy.number, of: copy.server.text)
    startAgent(copy.number, life: copy.life)
    after(faultRandom.minutes(2...30), .cloneIsRemoved(machine: copy.number))
  }

  func retireClone(_ number: Int) {
    guard machines[number].isClone, !machines[number].isGone else { return }
    tell("the clone of \(machines[number].server) is removed")
    endProcess(number)
    machines[number].isGone = true
    checker.removed(machine: number)
    // The original connects again, if the clone had thrown it out.
    if let original = machineOf[machines[number].server], machines[original].link == nil,
      machines[original].process != nil
    {
      planConnect(original, after: faultRandom.seconds(1...60))
    }
  }

  // MARK: - Yesterday's database

  func backUpDatabase() {
    backups.append(
      DatabaseCopy(
        disk: disk.copy(), at: now, seq: UInt64(checker.logLength), configs: clientConfigs,
        servers: importedServers))
    if backups.count > 4 { backups.removeFirst() }
  }

  func restoreDatabase() {
    guard !backups.isEmpty else { return }
    let backup = faultRandom.pick(backups)
    sometimes.reach(.databaseRestored)
    killDaemon("its database is restored")
    disk = backup.disk.copy()
    checker.restored(to: backup.seq, copiedAt: backup.at.milliseconds)
    for client in plan.clients {
      guard let (config, planned) = backup.configs[client.config.name] else { continue }
      checker.configuredAnew(ClientFact(planned, config))
    }
    for machine in machines where !machine.isClone {
      guard let config = backup.servers[machine.server] else { continue }
      checker.added(ServerFact(config), isAnew: true)
    }
    clientConfigs = backup.configs
    durableClients = backup.configs.mapValues(\.0)
    if backup.servers != importedServers {
      importedServers = backup.servers
      // Somebody misses the servers that the fleet had by then.
      after(settingsRandom.minutes(5...30), .person(.importsAgain))
    }
    // What was copied later is of a time that has never been.
    backups.removeAll { $0.seq > backup.seq }
    takenReports = []
    tell("the database is the one of record \(backup.seq)")
  }
}

/// A database, as it was.
struct DatabaseCopy {
  let disk: MemoryDisk
  let at: Instant
  /// Length of its log.
  let seq: UInt64
  let configs: [ClientName: (ClientConfig, PlannedClient)]
  let servers: [ServerName: ServerConfig]
}

extension Machine {
  /// The same server a second time: everything that is on its disk.
  func copy(number: Int) -> Machine {
    var copy = Machine(
      number: number, server: server, client: client, ailments: ailments, traits: traits,
      owesBoot: owesBoot)
    copy.journal = journal
    copy.installedPasses = installedPasses
    copy.isBroken = isBroken
    copy.snapshots = snapshots
    copy.putBackBy = putBackBy
    copy.boots = boots
    return copy
  }
}

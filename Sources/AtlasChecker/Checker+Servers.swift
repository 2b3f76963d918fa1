/// What servers really do, and what reaches them (S1, S3, S4, S5, S10, S11).
extension Checker {
  /// An order is handed to the network.
  package mutating func sent(_ command: CommandFact, to server: String) {
    if command.server != server {
      fail("S10", "an order for \(command.server) is sent to \(server)")
    }
    if !committedOrders.contains(command.fence) {
      fail("S6", "fence \(command.fence) is sent to \(server) and is not durable")
    }
    guard let client = servers[server]?.client else { return }
    if command.isStart, log.isStopped(client) {
      fail("S4", "\(command.kind) is sent to \(server) under a stop")
    }
    judgeGuestClients(sent: command)
    judgeExclusions(sent: command)
    noteOvertaken(command)
    judgeStopMet(sent: command)
    judgeTexts([command.campaign, command.runKey] + command.texts, toldTo: client)
  }

  /// A hook of `client` is called with these texts.
  ///
  /// - Parameters:
  ///   - point: Where in a run, such as `verify_backup`.
  ///   - campaign: That of the run.
  package mutating func hookStarted(
    client: String, server: String, texts: [String], point: String = "", campaign: String = ""
  ) {
    if Self.pointsBeforeChange.contains(point) {
      judgeStopMet(server, "has its hook \(point) called", in: campaign)
    }
    if let owner = servers[server]?.client, owner != client {
      fail("S10", "a hook of \(client) is called for \(server), which is \(owner)'s")
    }
    judgeTexts(texts, toldTo: client)
  }

  private mutating func judgeTexts(_ texts: [String], toldTo client: String) {
    for text in texts where !text.isEmpty {
      for word in text.utf8.split(whereSeparator: { !Self.isOfName($0) }) {
        guard let word = String(word), word != client, clients[word] != nil else { continue }
        fail("S10", "something of \(word) reaches \(client): “\(text)”")
      }
    }
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }

  /// A hook has shown a backup.
  package mutating func showed(_ backup: BackupEvidence, for runKey: String) {
    backups[runKey] = backup
  }

  /// A machine writes down that it begins an order, at `believed` by its own clock.
  package mutating func decidedToBegin(_ fence: UInt64, on machine: Int, believed: Int64) {
    machines[machine, default: MachineModel(server: "")].decidedAt = (fence, believed)
  }

  /// A machine begins an order.
  package mutating func began(
    _ command: CommandFact, on machine: Int, of server: String
  ) {
    var model = machines[machine] ?? MachineModel(server: server)
    model.server = server
    defer { machines[machine] = model }
    if let running = model.running {
      fail("S5", "\(server) begins fence \(command.fence) while \(running) runs")
    }
    if !model.begun.insert(command.fence).inserted {
      fail("S5", "\(server) begins fence \(command.fence) a second time")
    }
    if command.server != server {
      fail("S10", "\(server) begins an order for \(command.server)")
    }
    if command.fence < model.highestBegun {
      fail("S5", "\(server) begins fence \(command.fence) after fence \(model.highestBegun)")
    }
    model.highestBegun = max(model.highestBegun, command.fence)
    let decided = model.decidedAt.fence == command.fence ? model.decidedAt.believed : now
    if let notAfter = command.notAfter, decided > notAfter {
      let late = (decided - notAfter) / 1_000
      fail("S2", "\(server) begins \(command.kind) \(late) s after its latest time")
    }
    judgeLate(command, at: decided, of: server)
    judgeOvertaken(command, on: server)
    if command.isStart, command.fence < model.stopFence {
      fail("S4", "\(server) begins fence \(command.fence) below the stop \(model.stopFence)")
    }
    model.running = command.fence
    model.isAccepted = false
    model.runningKind = command.kind
    if ["UPDATE", "REBOOT", "ROLLBACK"].contains(command.kind) {
      servers[server]?.touchedBy = command.fence
      if command.kind != "UPDATE" { servers[server]?.alteredBy = command.fence }
    }
    if command.kind == "ROLLBACK" { judgeUndo(command, at: decided, of: server) }
    if command.kind != "DOWNLOAD", !isAmbiguous(server), !isCleaningUp(server, command.kind) {
      judgeBusy(with: machine, of: server)
    }
  }

  /// Servers of the same client that are worked on: never more than it had slots when the newest of
  /// them was started. Those that the database has forgotten count for nothing in an outage.
  private mutating func judgeBusy(with machine: Int, of server: String) {
    guard let client = servers[server]?.client else { return }
    var busy: Set<String> = [server]
    for (number, other) in machines where number != machine {
      guard servers[other.server]?.client == client, other.running != nil,
        other.runningKind != "DOWNLOAD", !other.isAccepted, !isAmbiguous(other.server),
        !isCleaningUp(other.server, other.runningKind)
      else { continue }
      busy.insert(other.server)
    }
    guard busy.count > 1 else { return }
    let agreed = busy.compactMap { servers[$0]?.slotsAtStart }.max() ?? 1
    let isInOutage = busy.contains { servers[$0]?.startedInOutage ?? false }
    let forgotten = isInOutage ? busy.subtracting(busyServers).count : 0
    if busy.count > agreed + forgotten {
      fail("S1", "\(busy.sorted().joined(separator: " and ")) are worked on at once")
    }
  }

  package mutating func ended(_ fence: UInt64, on machine: Int) {
    guard machines[machine]?.running == fence else { return }
    machines[machine]?.running = nil
  }

  /// The process that worked on an order has come back, and the order goes on. It may have died
  /// between writing down that it begins and beginning.
  package mutating func resumed(_ command: CommandFact, on machine: Int, of server: String) {
    guard machines[machine]?.begun.contains(command.fence) ?? false else {
      return began(command, on: machine, of: server)
    }
    machines[machine]?.running = command.fence
  }

  /// The welcome of a session is sent: its agent must learn of the stop that is latched now, and its
  /// Hello counts.
  package mutating func welcomed(session: Int, of server: String) {
    fenceFloor = max(fenceFloor, namedFences.removeValue(forKey: session) ?? 0)
    guard let client = servers[server]?.client else { return }
    welcomes[session] = log.stopFence(for: client)
  }

  /// The welcome has arrived.
  package mutating func heardWelcome(session: Int, on machine: Int, of server: String) {
    if let fence = welcomes.removeValue(forKey: session) {
      sawStop(fence, on: machine, of: server)
    }
  }

  package mutating func sawStop(_ fence: UInt64, on machine: Int, of server: String) {
    var model = machines[machine] ?? MachineModel(server: server)
    model.stopFence = max(model.stopFence, fence)
    machines[machine] = model
  }

  /// The first install begins on a server (S3). What counts is when UPDATE began, by the machine's
  /// own clock.
  package mutating func changes(_ command: CommandFact, on machine: Int, of server: String) {
    guard let model = servers[server], let client = clients[model.client],
      let campaign = campaign(command.campaign, workingOn: server)
    else { return }
    changedRuns.insert(command.runKey)
    servers[server]?.alteredBy = command.fence
    if model.changedBy == nil { servers[server]?.changedBy = command.fence }
    // A retry that keeps the snapshot keeps the evidence.
    guard command.attempt == firstAttempts[command.runKey], command.pass <= 1 else { return }
    let version = client.current
    if version.requiresSnapshot || campaign.requiresSnapshot,
      snapshots[server]?.contains(command.runKey) != true
    {
      fail("S3", "\(server) is changed without a snapshot")
    }
    guard version.requiresBackup || campaign.requiresBackup else { return }
    guard let backup = backups[command.runKey] else {
      return fail("S3", "\(server) is changed without a backup that anybody has shown")
    }
    if let problem = backup.problem(
      at: machines[machine]?.decidedAt.believed ?? now,
      maxAge: [version.maxBackupAge, campaign.maxBackupAge].compactMap { $0 }.min())
    {
      fail("S3", "\(server) is changed, and its backup \(problem)")
    }
  }

  /// A report has been taken by the daemon and is durable.
  package mutating func reportCommitted(
    _ fence: UInt64, of server: String, provesHealthy: Bool
  ) {
    guard provesHealthy, let proven = servers[server]?.provenBy, proven < fence else { return }
    servers[server]?.provenBy = fence
  }

  /// A report that was taken before came again, and did this (S11).
  package mutating func repeated(_ fence: UInt64, of server: String, effects: [String]) {
    guard !effects.isEmpty else { return }
    fail("S11", "a repeated report of fence \(fence) of \(server) does \(effects)")
  }
}

extension BackupEvidence {
  /// What is wrong with it; nil when it counts.
  func problem(at instant: Int64, maxAge: Int64?) -> String? {
    if takenAt > instant { return "is of the future" }
    if let maxAge, instant - takenAt > maxAge { return "is too old" }
    if maxAge == nil, let lastJobAt, takenAt < lastJobAt { return "is not of the last job" }
    guard let verifiedAt, verifiedAt >= takenAt else { return "was never verified" }
    return nil
  }
}

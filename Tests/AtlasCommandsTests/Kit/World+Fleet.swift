import AtlasWire

@testable import AtlasCommands

extension World {
  private static let names = [
    "LAA", "KBB", "NORD", "OPTIKA", "SUND", "TEXAN", "BRIGG", "ALPINA", "CORVUS", "DELTA",
    "EIDER", "FJORD",
  ]
  private static let roles = [
    "WEB", "WEB", "APP", "APP", "APP", "FILE", "PRINT", "SQL", "MAIL", "DC",
  ]

  /// A fleet with a campaign over all of it, `november`, that has started and done nothing.
  ///
  /// - Parameters:
  ///   - clientCount: the first are called LAA, KBB and so on, later ones C013.
  ///   - serversEach: servers of each client.
  static func november(
    clients clientCount: Int, servers serversEach: Int, factor: Int32 = 1
  ) -> World {
    var world = World(factor: factor)
    var runs: [AtlasV1.ServerRun] = []
    for index in 0..<clientCount {
      let number = String(1000 + index + 1).dropFirst()
      let client = index < names.count ? names[index] : "C\(number)"
      let ring = Int32(index == 0 ? 0 : index * 4 / max(1, clientCount))
      world.clients.append(world.makeClient(client, ring: ring, servers: serversEach))
      for order in 0..<serversEach {
        let server = world.makeServer(client, order)
        world.servers.append(server)
        runs.append(
          AtlasV1.ServerRun(
            campaign: "november", server: server.name, client: client, site: server.site,
            ring: ring, state: .pending, attempt: 1, pass: 1, order: Int32(order + 1),
            waitsFor: "slot", fieldStatus: "PENDING", etag: "1", number: Int32(runs.count + 1)))
      }
    }
    world.runs["november"] = runs
    world.rings["november"] = ["canary", "pilot", "standard", "critical"].enumerated().map {
      world.makeRing(Int32($0.offset), $0.element)
    }
    world.campaigns = [
      AtlasV1.Campaign(
        name: "november", author: "anna", state: .active, selection: .init(),
        updateSet: .init(cutOff: world.time(-86_400)),
        settings: [
          .init(key: "max_retries", value: "2", explicit: true),
          .init(key: "server_soak", value: "0s"),
        ], clients: Int32(clientCount), createdAt: world.time(-7200), startedAt: world.time(),
        endsAt: world.time(86_400), etag: "7", hookRevision: "9f2c1e77aa01")
    ]
    world.agentsConnected = Int32(clientCount * serversEach)
    world.note("campaign.started", campaign: "november", by: "anna")
    return world
  }

  private func makeClient(_ name: String, ring: Int32, servers: Int) -> AtlasV1.ClientInfo {
    AtlasV1.ClientInfo(
      name: name, ring: ring, zone: "Europe/Paris", windows: ["FREQ=DAILY 22:00 8h"],
      maxParallelServers: 1, requireBackup: true, createSnapshots: true,
      maxBackupAge: .init(seconds: 86_400), priority: 100,
      contacts: [.init(email: "it@\(name.lowercased()).example", language: "fr")],
      servers: Int32(servers), agentsConnected: Int32(servers), etag: "3")
  }

  private func makeServer(_ client: String, _ order: Int) -> AtlasV1.ServerInfo {
    let role = Self.roles[order % Self.roles.count]
    let number = order + 1
    return AtlasV1.ServerInfo(
      name: "\(client)-PARIS-\(role)\(number < 10 ? "0" : "")\(number)", client: client,
      site: "PARIS", roles: [role], number: Int32(number), system: "Windows Server 2022",
      agentConnected: true, agentVersion: "0.1.0", campaign: "november", runState: .pending,
      etag: "2")
  }

  private func makeRing(_ number: Int32, _ name: String) -> AtlasV1.RingInfo {
    AtlasV1.RingInfo(
      ring: number, name: name, status: number == 0 ? .active : .waiting, gate: .closed,
      gateWaitsFor: "3 completed, 30m of soak")
  }
}

/// Random numbers that are the same in every run (SplitMix64).
struct SeededNumbers: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension World {
  private static let phases: [AtlasV1.Phase] = [
    .preCheck, .snapshot, .update, .reboot, .postCheck, .finalize,
  ]

  /// Lets some minutes pass in which lanes move on: one server of a client at a time, rings one after
  /// the other, a failure now and then.
  mutating func pass(minutes: Int64, with numbers: inout SeededNumbers) {
    now += minutes * 60_000
    if stops.contains(where: { $0.client.isEmpty }) { return }
    let lanes = Dictionary(grouping: runs["november"] ?? [], by: \.client)
    for client in lanes.keys.sorted() {
      guard let lane = lanes[client], isOpen(lane.first?.ring ?? 0) else { continue }
      if numbers.next() % 3 == 0 { continue }
      move(lane, with: &numbers)
    }
    moveRings()
    let open = counts(of: "november")
    if open.pending + open.inProgress == 0 { end(open) }
  }

  private func isOpen(_ ring: Int32) -> Bool {
    (rings["november"] ?? []).allSatisfy { $0.ring >= ring || $0.gate == .open }
  }

  private mutating func move(_ lane: [AtlasV1.ServerRun], with numbers: inout SeededNumbers) {
    if lane.contains(where: { $0.state == .held }) { return }
    guard let run = lane.first(where: { $0.state == .inProgress || $0.state == .pending }) else {
      return
    }
    let dice = numbers.next() % 100
    _ = try? change(run: run.server, of: "november") { [now] run in
      run.advance(dice: dice, now: .init(millisecondsSinceEpoch: now), phases: Self.phases)
    }
  }

  private mutating func moveRings() {
    var all = rings["november"] ?? []
    for index in all.indices where isOpen(all[index].ring) {
      let counts = counts(of: "november", ring: all[index].ring)
      all[index].servers = counts
      let tried = counts.completed + counts.failed + counts.held
      all[index].successRate = tried == 0 ? nil : Double(counts.completed) / Double(tried)
      all[index].status = counts.ended == counts.total ? .completed : .active
      if all[index].gate == .closed, counts.completed >= min(3, counts.total) {
        all[index].gate = .open
        all[index].gateWaitsFor = ""
        note("gate.opened", campaign: "november", ring: all[index].ring, reason: "sample is well")
      }
    }
    for index in all.indices where all[index].servers == nil {
      all[index].servers = counts(of: "november", ring: all[index].ring)
    }
    rings["november"] = all
  }

  private mutating func end(_ counts: AtlasV1.RunCounts) {
    guard campaigns.first?.settled == false else { return }
    let held = (runs["november"] ?? []).filter { $0.state == .held }
    campaigns[0].settled = true
    campaigns[0].decisions = held.map {
      "\($0.server) is HELD (UNHEALTHY): retry, rollback, accept"
    }
    if !held.isEmpty { return }
    campaigns[0].state = counts.failed > 0 ? .completedWithFailures : .completed
    campaigns[0].endedAt = time()
    note("campaign.completed", campaign: "november")
  }
}

extension AtlasV1.ServerRun {
  /// One step on; `dice`, 0 to 99, decides about trouble.
  fileprivate mutating func advance(
    dice: UInt64, now: GoogleProtobuf.Timestamp, phases: [AtlasV1.Phase]
  ) {
    guard state == .inProgress, let index = phases.firstIndex(of: phase) else {
      state = .inProgress
      phase = phases[0]
      startedAt = startedAt ?? now
      waitsFor = ""
      return
    }
    if phase == .preCheck, dice < 4 {
      return end(.notAttempted, "backup", "the last backup is 31 hours old", now)
    }
    if phase == .postCheck, dice < 3 {
      state = .held
      detail = "UNHEALTHY"
      lastError = "MSExchangeTransport does not start"
      choices = ["retry", "rollback", "accept"]
      holdClass = .down
      return
    }
    if phase == .postCheck, dice < 6 {
      return end(.failed, "ROLLED_BACK", "KB5031234 failed with 0x80070643", now)
    }
    if index + 1 < phases.count {
      phase = phases[index + 1]
    } else {
      end(.completed, "UPDATED", "", now)
    }
  }

  private mutating func end(
    _ state: AtlasV1.RunState, _ detail: String, _ error: String, _ now: GoogleProtobuf.Timestamp
  ) {
    self.state = state
    self.detail = detail
    lastError = error
    phase = .unspecified
    endedAt = now
  }
}

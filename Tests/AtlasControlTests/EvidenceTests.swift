import AtlasEngine
import AtlasEvidence
import AtlasModel
import AtlasStore
import Testing

@testable import AtlasControl

/// A campaign over two servers of one client: the first is away for ten minutes, the second is given
/// to a hook that refuses it.
private struct Night {
  var desk: Desk
  private(set) var log: [LogRecord] = []
  /// What was committed since the last start of the daemon.
  private var batches: [Batch] = []

  /// - Parameter earlier: What people do before the campaign is made.
  init(_ selection: Selection = Selection(), after earlier: [Change] = []) throws {
    desk = try Desk()
    keep(desk.importFleet())
    for (number, name) in [Desk.first, Desk.second].enumerated() {
      desk.take(.sessionOpened(SessionID(UInt64(number)), Desk.hello(name)))
      keep(desk.commitAll())
    }
    for change in earlier { ask(change) }
    ask(.createCampaign(CampaignRequest(name: Desk.campaign, selection: selection)))
  }

  /// The log as the daemon reads it: from the campaign's making on.
  var told: [LogRecord] {
    Array(log.drop { $0.kind != "campaign.created" || $0.campaign != Desk.campaign.text })
  }

  mutating func ask(_ change: Change) {
    desk.ask(change)
    keep(desk.commitAll())
  }

  mutating func take(_ input: ControlInput, after seconds: Int64 = 0) {
    desk.now = desk.now + .seconds(seconds)
    desk.take(input)
    keep(desk.commitAll())
  }

  private mutating func keep(_ batches: [Batch]) {
    log += batches.flatMap(\.records)
    self.batches += batches
  }

  /// Lets hooks say that they are not defined until the first server is in a phase.
  mutating func finishHooks(until phase: Phase, of campaign: CampaignID = CampaignID(0)) {
    while desk.machine.state[campaign: campaign].runs[0].state.phase != phase {
      let run = RunRef(campaign: campaign, index: 0)
      let ticket = HookTicket(run: run, serial: desk.machine.state[run].hookSerial)
      take(.hookFinished(ticket, .notDefined, nil), after: 1)
    }
  }

  /// The daemon dies, and after a while another one starts on what is stored.
  mutating func restart(in store: MemoryStore, after seconds: Int64) throws {
    for batch in batches { try store.commit(batch) }
    batches = []
    let now = desk.now + .seconds(seconds)
    desk = try Desk(stored: try store.load())
    desk.now = now
    desk.wake()
    keep(desk.commitAll())
  }

  func evidence() throws -> Evidence {
    var builder = try EvidenceBuilder(desk.snapshot, Desk.campaign)
    for record in told { builder.take(record) }
    let evidence = builder.evidence()
    check(evidence, told.filter { builder.contains($0) })
    return evidence
  }

  /// Whoever verifies it finds the same in the records of the file, and nothing that speaks against
  /// the rest.
  private func check(_ evidence: Evidence, _ records: [LogRecord]) {
    var trail = EvidenceTrail(
      campaign: evidence.campaign, since: evidence.startedAt, until: evidence.until)
    for record in records { #expect(trail.take(record) == nil) }
    #expect(trail.course.author == evidence.author)
    #expect(trail.course.state == evidence.state)
    #expect(trail.course.startedAt == evidence.startedAt)
    #expect(trail.course.endedAt == evidence.endedAt)
    #expect(trail.course.objection(toUntil: evidence.until) == nil)
    for server in evidence.clients.flatMap(\.servers) {
      let place = EvidenceTrail.Place(client: server.client, server: server.name)
      let recorded = trail.intervals(of: place, host: server.host)
      #expect(recorded.allSatisfy(server.intervals.contains))
      for interval in server.intervals where !recorded.contains(interval) {
        #expect(trail.objection(to: interval, of: place) == nil)
      }
      #expect(server.updates.map(\.change) == trail.changes(of: place))
      #expect(server.outcome == trail.outcome(of: place))
    }
  }

  func evidence(of server: ServerName) throws -> ServerEvidence? {
    try evidence().clients[0].servers.first { $0.name == server.text }
  }
}

@Suite("Evidence of a campaign")
struct EvidenceTests {
  @Test("is refused for one that is not there, and for one that has not started")
  func refused() throws {
    let night = try Night()
    #expect(throws: ControlError.notFound(kind: "campaign", name: "other")) {
      try EvidenceBuilder(night.desk.snapshot, CampaignName(trusted: "other"))
    }
    #expect(
      throws: ControlError.refused(
        .notAllowed(
          code: .campaignState, message: "nov has not started: there is nothing to show",
          hint: "atlas campaign start nov"))
    ) { try EvidenceBuilder(night.desk.snapshot, Desk.campaign) }
  }

  @Test("says when servers were worked on, by the records and as the state has it")
  func workedOn() throws {
    var night = try Night()
    night.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    let start = night.desk.now
    night.take(.timerFired, after: 60)
    let server = try #require(try night.evidence(of: Desk.first))
    #expect(server.intervals.map(\.start) == [start])
    #expect(server.intervals.map(\.end) == [nil])
    #expect(server.intervals.map(\.cause) == [.workedOn(run: RunName(campaign: "nov", number: 1))])
    #expect(server.outcome?.state == "IN_PROGRESS")
    let run = night.desk.machine.state[campaign: CampaignID(0)].runs[0]
    #expect(run.details.content.slotIntervals.map(\.start) == [start])
    let evidence = try night.evidence()
    #expect(evidence.mostDown == 1)
    #expect(evidence.worst?.all.servers == [Desk.first.text])
    #expect(evidence.startedAt == start)
    #expect(evidence.until == night.desk.now)
    #expect(evidence.endedAt == nil)
  }

  @Test("says who was away without Atlas's order, and who is so still")
  func away() throws {
    var night = try Night()
    night.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    night.take(.sessionClosed(SessionID(1)), after: 10)
    let gone = night.desk.now
    night.take(.timerFired, after: 600)
    let still = DownInterval(start: gone, end: nil, cause: .away)
    #expect(try night.evidence(of: Desk.second)?.intervals == [still])
    #expect(try night.evidence().mostDown == 2)
    #expect(try night.evidence().mostDownByAtlas == 1)
    night.take(.sessionOpened(SessionID(7), Desk.hello(Desk.second)))
    let back = DownInterval(start: gone, end: night.desk.now, cause: .away)
    #expect(try night.evidence(of: Desk.second)?.intervals == [back])
  }

  private static let other = CampaignName(trusted: "oct")

  /// Another campaign that works on the second server since before this one was made.
  private func nightWithOther() throws -> Night {
    let request = CampaignRequest(name: Self.other, selection: Selection(servers: [Desk.second]))
    var night = try Night(
      Selection(servers: [Desk.first]),
      after: [.createCampaign(request), .startCampaign(Self.other, ifMatch: "")])
    night.take(.timerFired, after: 60)
    night.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    return night
  }

  @Test("has the slot of another campaign that was kept for all of its time, and is kept still")
  func keptStill() throws {
    let night = try nightWithOther()
    let held = DownInterval(
      start: night.desk.now, end: nil, cause: .workedOn(run: RunName(campaign: "oct", number: 1)))
    #expect(try night.evidence(of: Desk.second)?.intervals == [held])
    #expect(try night.evidence(of: Desk.second)?.outcome == nil)
  }

  @Test("has it also when it was returned long after, with the record that shows it")
  func returnedLater() throws {
    var night = try nightWithOther()
    let start = night.desk.now
    night.take(.timerFired, after: 60)
    night.ask(.cancelCampaign(Desk.campaign, reason: "enough"))
    let end = night.desk.now
    night.take(.timerFired, after: 3_600)
    #expect(night.desk.machine.state[server: ServerID(1)].openRun == nil)
    let evidence = try night.evidence()
    #expect(evidence.state == "CANCELLED")
    #expect(evidence.until == end)
    #expect(evidence.mostDownByAtlas == 1)
    let held = DownInterval(
      start: start, end: nil, cause: .workedOn(run: RunName(campaign: "oct", number: 1)))
    #expect(try night.evidence(of: Desk.second)?.intervals == [held])
    var builder = try EvidenceBuilder(night.desk.snapshot, Desk.campaign)
    for record in night.told { builder.take(record) }
    let later = night.told.filter { builder.contains($0) && $0.campaignTime > end }
    #expect(later.map(\.kind) == ["run.not_attempted"])
    #expect(evidence.lastSeq == later.last?.seq)
  }

  @Test("has nothing of a campaign that began after its end")
  func begunLater() throws {
    var night = try Night(
      Selection(servers: [Desk.first]), after: [.pauseClient(Desk.client, reason: "payroll")])
    night.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    night.take(.timerFired, after: 60)
    night.ask(.cancelCampaign(Desk.campaign, reason: "enough"))
    let before = try night.evidence()
    #expect(before.state == "CANCELLED")
    night.take(.timerFired, after: 60)
    night.ask(.resumeClient(Desk.client))
    let request = CampaignRequest(name: Self.other, selection: Selection(servers: [Desk.second]))
    night.ask(.createCampaign(request))
    night.ask(.startCampaign(Self.other, ifMatch: ""))
    night.finishHooks(until: .update, of: CampaignID(1))
    let moved = night.log.filter { $0.run != nil && $0.campaign == Self.other.text }
    #expect(moved.map(\.fromState).prefix(2) == ["PENDING", "IN_PROGRESS"])
    #expect(try night.evidence().clients == before.clients)
    #expect(try night.evidence().records == before.records)
  }

  @Test("says how long a server was away that was retired, or became another client's")
  func awayAndGone() throws {
    for isRetired in [true, false] {
      var night = try Night(Selection(servers: [Desk.first]))
      night.ask(.startCampaign(Desk.campaign, ifMatch: ""))
      night.take(.sessionClosed(SessionID(1)), after: 10)
      let gone = night.desk.now
      night.take(.timerFired, after: 600)
      if isRetired {
        night.ask(.retireServer(Desk.second, reason: "scrapped"))
      } else {
        let other = ClientConfig(name: ClientName(trusted: "NOR"))
        let moved = ServerConfig(
          name: Desk.second, client: other.name, site: SiteName(trusted: "PARIS"))
        night.ask(.importFleet(clients: [other], servers: [moved]))
      }
      let end = night.desk.now
      night.take(.timerFired, after: 600)
      night.take(.sessionOpened(SessionID(7), Desk.hello(Desk.second)))
      #expect(
        try night.evidence(of: Desk.second)?.intervals == [
          DownInterval(start: gone, end: end, cause: .away)
        ])
      #expect(try night.evidence().mostDown == 2)
    }
  }

  @Test(
    "says since when a server was away that was there to the end of a daemon, whatever dies then")
  func awayOverStarts() throws {
    let store = try MemoryStore()
    var night = try Night(Selection(servers: [Desk.first]))
    night.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    let seen = night.desk.now
    try night.restart(in: store, after: 600)
    try night.restart(in: store, after: 90)
    let early = night.desk.machine.state.absence(of: ServerID(1), now: night.desk.now)
    #expect(early == nil, "it has been awaited for a minute and a half only")
    night.take(.timerFired, after: 300)
    try night.restart(in: store, after: 30)
    night.take(.sessionOpened(SessionID(1), Desk.hello(Desk.second)), after: 30)
    let back = DownInterval(start: seen, end: night.desk.now, cause: .away)
    #expect(try night.evidence(of: Desk.second)?.intervals == [back])
  }

  @Test("knows nothing of what happens while it is written")
  func later() throws {
    var night = try Night()
    night.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    let snapshot = night.desk.snapshot
    night.ask(.cancelCampaign(Desk.campaign, reason: "enough"))
    var builder = try EvidenceBuilder(snapshot, Desk.campaign)
    for record in night.told { builder.take(record) }
    #expect(builder.evidence().state == "ACTIVE")
    #expect(builder.evidence().lastSeq == snapshot.lastSeq)
    #expect(
      !night.told.filter { builder.contains($0) }.contains { $0.kind.hasSuffix("cancelling") })
  }

  @Test("says that a guest is down with its host, unless that moves its guests away")
  func guests() throws {
    let site = SiteName(trusted: "PARIS")
    let run = RunName(campaign: "nov", number: 1)
    for migrates in [false, true] {
      var night = try Night(Selection(servers: [Desk.first]))
      let host = ServerConfig(
        name: Desk.first, client: Desk.client, site: site, migratesGuests: migrates)
      let guest = ServerConfig(
        name: Desk.second, client: Desk.client, site: site, host: Desk.first)
      night.ask(.importFleet(clients: [], servers: [host, guest]))
      let until = night.desk.now + .seconds(6 * 3_600)
      night.ask(
        .declareOutage(Desk.client, from: nil, until: until, parallel: nil, reason: "closed"))
      night.ask(.startCampaign(Desk.campaign, ifMatch: ""))
      night.take(.timerFired, after: 60)
      #expect(try night.evidence(of: Desk.first)?.intervals.map(\.cause) == [.workedOn(run: run)])
      let told = try night.evidence(of: Desk.second)
      let down = DownInterval.Cause.guest(of: Desk.first.text, run: run)
      #expect(told?.intervals.map(\.cause) == (migrates ? nil : [down]))
      #expect(told?.host == (migrates ? nil : Desk.first.text))
      #expect(try night.evidence().mostDownByAtlas == (migrates ? 1 : 2))
    }
  }

  @Test("has the decisions of people, and no record of another client or of an import")
  func scope() throws {
    var night = try Night()
    night.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    night.ask(.pauseClient(Desk.client, reason: "the boss calls"))
    let until = night.desk.now + .seconds(3_600)
    night.ask(
      .declareOutage(
        Desk.client, from: nil, until: until, parallel: 2, reason: "the shop is closed"))
    let other = ClientConfig(name: ClientName(trusted: "NOR"))
    night.ask(.importFleet(clients: [other], servers: []))
    let evidence = try night.evidence()
    #expect(
      evidence.decisions.map(\.kind) == [
        "campaign.created", "campaign.started", "client.paused", "client.outage_declared",
      ])
    #expect(evidence.clients.map(\.name) == ["LAA"])
    #expect(evidence.clients[0].outages.map(\.until) == [until])
    #expect(evidence.clients[0].outages.map(\.parallel) == [2])
    let told = night.log.filter { record in
      (try? EvidenceBuilder(night.desk.snapshot, Desk.campaign))?.contains(record) ?? false
    }
    #expect(!told.contains { $0.client == "NOR" })
    #expect(evidence.lastSeq == told.last?.seq)
  }

  @Test("knows the rules under which a server was changed, whatever they are when it is written")
  func demands() throws {
    var night = try Night(Selection(servers: [Desk.first]))
    night.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    #expect(try night.evidence(of: Desk.first)?.updates == [])
    #expect(try night.evidence().clients[0].slots == 0)
    night.finishHooks(until: .update)
    let began = night.desk.now
    var config = night.desk.machine.state[client: ClientID(0)].config
    config.requireBackup = true
    config.createSnapshots = true
    config.maxParallelServers = 5
    night.ask(.importFleet(clients: [config], servers: []))
    let change = EvidenceTrail.Change(
      run: 1, phase: "UPDATE", attempt: 1, pass: 1, beganAt: began)
    let basis = UpdateBasis(
      checkedAt: began, maxBackupAge: nil, backup: nil, snapshotRequired: false, snapshot: nil,
      slots: 1)
    #expect(
      try night.evidence(of: Desk.first)?.updates == [UpdateEvidence(change: change, basis: basis)])
    #expect(try night.evidence().clients[0].slots == 1)
  }
}

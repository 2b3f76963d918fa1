import AtlasEngine
import AtlasModel
import AtlasStore
import Testing

@testable import AtlasControl

@Suite("What keeps servers from starting") struct SafetyTests {
  @Test("is kept in rows: of a campaign")
  func campaignRow() throws {
    let latch = Latch(
      reason: "r", principal: "anna", since: Instant(milliseconds: 5),
      until: Instant(milliseconds: 9), ticket: "T1")
    let kind = ServerKind(role: Role(trusted: "SQL"), system: "windows-2022")
    let bare = ServerKind(role: nil, system: "")
    let safety = CampaignSafety(
      sampleSince: Instant(milliseconds: 7),
      laneResumes: [LaneResume(client: ClientID(3), at: Instant(milliseconds: 8))],
      signatures: [
        Signature(
          kind: bare, phase: .reboot, cause: "c", clients: [ClientID(1), ClientID(0)],
          lastAt: Instant(milliseconds: 4))
      ],
      held: [
        HeldSignature(
          kind: kind, phase: .update, cause: "KB1", update: UpdateID(trusted: "KB1"), latch: latch)
      ],
      waivers: [
        Waiver(role: nil, system: nil, latch: latch),
        Waiver(role: Role(trusted: "DC"), system: "", latch: latch),
      ],
      sourceHolds: [
        SourceHold(
          client: nil, latch: latch, nextTry: Instant(milliseconds: 6), tries: 2, probe: 4),
        SourceHold(
          client: ClientID(2), latch: latch, nextTry: Instant(milliseconds: 6), tries: 0,
          probe: nil),
      ],
      sourceFaults: [
        SourceFault(at: Instant(milliseconds: 1), client: ClientID(2), run: 9, isAlone: true)
      ])
    var writer = ByteWriter(version: StateRows.version)
    writer.put(safety)
    writer.put(ContactHold(since: latch.since, sessions: 12, dropped: 3, missing: 2))
    writer.put(HeldLane(client: ClientID(5), latch: latch))
    var reader = try ByteReader(writer.bytes, versions: StateRows.readable, row: "campaign")
    #expect(try reader.safety() == safety)
    #expect(try reader.contactHold() == ContactHold(since: latch.since, sessions: 12))
    #expect(try reader.heldLane() == HeldLane(client: ClientID(5), latch: latch))
  }

  @Test("is kept in rows: of a policy, with its gates")
  func policyRow() throws {
    var policy = Policy()
    policy.breakers.maxFailedPerClient = nil
    policy.breakers.sample = 50
    policy.perSite = 3
    policy.resources = [ResourceLimit(name: ResourceName(trusted: "SAN"), limit: 4)]
    policy.gates = [RingGate(ring: .pilot, representative: false)]
    var writer = ByteWriter(version: StateRows.version)
    writer.put(policy)
    var reader = try ByteReader(writer.bytes, versions: StateRows.readable, row: "campaign")
    #expect(try reader.policy() == policy)
  }

  @Test("is kept in rows: of a run that was left for later", arguments: [nil, 77] as [Int64?])
  func runRow(until: Int64?) throws {
    var run = Run(server: ServerID(0), lane: 0, order: 3)
    run.restore(state: .postponed(until: until.map { Instant(milliseconds: $0) }))
    run.details.content.outcomeAt = Instant(milliseconds: 6)
    var writer = ByteWriter(version: StateRows.version)
    writer.put(run)
    var reader = try ByteReader(writer.bytes, versions: StateRows.readable, row: "run")
    #expect(try reader.run() == run)
  }

  @Test("comes back after a restart: a postponed client, shared things, and tags")
  func restart() throws {
    var desk = try Desk()
    var batches = desk.importFleet()
    let config = ServerConfig(
      name: Desk.first, client: Desk.client, site: SiteName(trusted: "PARIS"),
      resources: [ResourceName(trusted: "SAN")], tags: [Tag(trusted: "wave-2")])
    desk.ask(.importFleet(clients: [], servers: [config]))
    let until = desk.now + .seconds(3_600)
    desk.ask(.postponeClient(Desk.client, until: until, reason: "month end"))
    batches += desk.commitAll()
    let again = try Desk(stored: StoredState(applying: batches)).machine.state
    #expect(again[client: ClientID(0)].postponed?.until == until)
    #expect(again[server: ServerID(0)].config == config)
  }

  @Test("is answered when a client is postponed, with what is in flight and until when")
  func postpone() throws {
    var desk = try Desk()
    _ = desk.importFleet()
    desk.take(.sessionOpened(SessionID(1), Desk.hello(Desk.first)))
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign)))
    desk.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    _ = desk.commitAll()
    let until = desk.now + .seconds(3_600)
    let ticket = desk.ask(.postponeClient(Desk.client, until: until, reason: "month end"))
    _ = desk.commitAll()
    guard case .answer(.postponed(let view, let inFlight))? = desk.drain().reply(ticket) else {
      Issue.record("no answer")
      return
    }
    #expect(view.postponed?.until == until)
    #expect(view.postponed?.reason == "month end")
    #expect(
      inFlight == [
        InFlightView(
          campaign: Desk.campaign, server: Desk.first, phase: .preCheck,
          ends: desk.now + .seconds(45 * 60))
      ])
    let read = desk.ask(.campaign(Desk.campaign))
    guard case .answer(.campaign(let campaign, _))? = desk.drain().reply(read) else {
      Issue.record("no answer")
      return
    }
    #expect(campaign.flags.map(\.kind) == ["postponed"])
    #expect(campaign.flags.map(\.scope) == ["client LAA"])
    let resumed = desk.ask(.resumeClient(Desk.client))
    _ = desk.commitAll()
    guard case .answer(.client(let after))? = desk.drain().reply(resumed) else {
      Issue.record("no answer")
      return
    }
    #expect(after.postponed == nil)
  }

  @Test("is read by kind: those without a representative, until a person waives it")
  func kinds() throws {
    var desk = try Self.rings()
    let before = try Self.kinds(&desk)
    let kind = ServerKind(role: Role(trusted: "SQL"), system: "windows-2022")
    #expect(before.held == [])
    #expect(before.missing == [MissingKindView(kind: kind, waiting: 1, mayCome: false)])
    let plan = try ControlSnapshot(state: desk.machine.state, now: desk.now, demoFactor: 1)
      .plan(Desk.campaign)
    #expect(
      plan.blocked.map(\.reason).contains(
        "no SQL on windows-2022 can complete in an earlier ring: waive it"))
    let waived = desk.ask(
      .waiveRepresentative(
        Desk.campaign, role: Role(trusted: "SQL"), system: "windows-2022", reason: "known"))
    _ = desk.commitAll()
    guard case .answer(.campaign)? = desk.drain().reply(waived) else {
      Issue.record("no answer")
      return
    }
    #expect(try Self.kinds(&desk).missing == [])
  }

  @Test("is released only where it is held")
  func release() throws {
    var desk = try Self.rings()
    let ticket = desk.ask(
      .releaseSignature(
        Desk.campaign, role: Role(trusted: "SQL"), system: "windows-2022", reason: "x"))
    let refusal = Refusal.notAllowed(
      code: .notHeld, message: "SQL on windows-2022 is not held in this campaign",
      hint: "no kind of servers is")
    guard case .refused(.refused(refusal))? = desk.drain().reply(ticket) else {
      Issue.record("it was not refused")
      return
    }
  }

  private static func kinds(
    _ desk: inout Desk
  ) throws -> (held: [HeldKindView], missing: [MissingKindView]) {
    let ticket = desk.ask(.kinds(Desk.campaign))
    let reply = desk.drain().reply(ticket)
    guard case .answer(.kinds(let held, let missing))? = reply else {
      throw RowError(row: "answer", problem: "\(String(describing: reply))")
    }
    return (held, missing)
  }

  /// A started campaign whose second ring has a database, and whose first has none.
  private static func rings() throws -> Desk {
    var desk = try Desk()
    _ = desk.importFleet()
    let second = ClientName(trusted: "MRB")
    desk.ask(
      .importFleet(
        clients: [
          ClientConfig(
            name: second, ring: .pilot, requireBackup: false, createSnapshots: false)
        ],
        servers: [
          ServerConfig(
            name: ServerName(trusted: "MRB-PARIS-SQL01"), client: second,
            site: SiteName(trusted: "PARIS"), roles: [Role(trusted: "SQL")],
            system: "windows-2022")
        ]))
    desk.ask(.createCampaign(CampaignRequest(name: Desk.campaign)))
    desk.ask(.startCampaign(Desk.campaign, ifMatch: ""))
    _ = desk.commitAll()
    _ = desk.drain()
    return desk
  }
}

import AtlasEngine
import AtlasModel
import AtlasStore
import Testing

@testable import AtlasControl

/// Rows as an older Atlas wrote them: whoever updates the daemon keeps the night that is running.
@Suite("A row of version 1")
struct RowVersionTests {
  @Test("of a client is read, and its backup age was a duration")
  func client() throws {
    var reader = try ByteReader(Self.client, versions: StateRows.readable, row: "client")
    let expected = ClientConfig(
      name: Desk.client, ring: .pilot, zone: "Europe/Paris", requireBackup: true,
      createSnapshots: false, maxBackupAge: .atMost(.seconds(36 * 3_600)), priority: 7,
      contacts: [Contact(email: "it@laa.example", language: "fr")])
    #expect(
      try reader.client()
        == StoredClient(config: expected, paused: nil, stop: nil, version: 0))
  }

  @Test("of a campaign is read, and what its policy did not know has its default")
  func campaign() throws {
    var reader = try ByteReader(Self.campaign, versions: StateRows.readable, row: "campaign")
    var policy = Policy()
    policy.roleTimes = []
    policy.roleRollback = []
    policy.maxInProgress = 5
    policy.maxBackupAge = .atMost(.seconds(12 * 3_600))
    policy.carryOver = true
    // What it did not know does not stop it now.
    policy.breakers = .off
    policy.gates = (0...7).compactMap { Ring($0) }.map {
      var gate = Policy.defaultGate($0)
      gate.representative = false
      return gate
    }
    let header = try reader.campaign().header
    #expect(header.name == Desk.campaign)
    #expect(header.policy == policy)
  }

  @Test("of a run is read, and nothing is known of what it did not hold")
  func run() throws {
    var reader = try ByteReader(Self.run, versions: StateRows.readable, row: "run")
    #expect(try reader.run() == Self.held)
  }

  @Test("of an order is read, and names no backup")
  func order() throws {
    var order = Command(
      fence: Fence(17), kind: .update, server: Desk.first, campaign: Desk.campaign,
      runKey: "patch-11/3", attempt: 1, pass: 1, notAfter: Instant(milliseconds: 9_000))
    #expect(order.storedBytes.last == 0)
    #expect(try Command(stored: [1] + order.storedBytes.dropFirst().dropLast()) == order)
    order.backupTakenAt = Instant(milliseconds: 500)
    #expect(try Command(stored: order.storedBytes) == order)
  }

  @Test("of a later version is refused", arguments: [0, StateRows.version + 1, 255])
  func otherVersion(version: UInt8) {
    #expect(throws: RowError(row: "run", problem: "written by another version of Atlas")) {
      try ByteReader([version], versions: StateRows.readable, row: "run")
    }
  }

  private static var held: Run {
    var run = Run(server: ServerID(0), lane: 0, order: 3)
    run.restore(state: .held(.unhealthy))
    run.attempt = 2
    run.pass = 1
    run.marks = [.changed, .rolledBack]
    run.version = 9
    run.command = ActiveCommand(
      fence: Fence(17), kind: .health, delivery: .acknowledged, lastSeq: 2)
    run.startedAt = Instant(milliseconds: 1_000)
    var content = RunDetails.Content()
    content.lastError = "not healthy"
    content.snapshot = SnapshotFact(id: "s1", takenAt: Instant(milliseconds: 2_000))
    content.backup = BackupFact(
      source: "veeam", takenAt: Instant(milliseconds: 500),
      verifiedAt: Instant(milliseconds: 600))
    content.heldIn = Work(.verify, .agent)
    content.heldSince = Instant(milliseconds: 9_000)
    content.slotIntervals = [Interval(start: Instant(milliseconds: 1_000), end: .distantFuture)]
    run.details = RunDetails(content)
    return run
  }

  private static let client = bytes(
    "01034c4141020c4575726f70652f5061726973000002010080a8cc7b0e010e6974406c61612e6578616d"
      + "706c6502667200000000")
  private static let campaign = bytes(
    "01036e6f76036b696d00000000000000000004c0cf24080113636f6e74696e75655f69665f6865616c74"
      + "687980d30ec0cf24809f49c0cbc90280e8dd0dc0ee6dc0ee6d80bab70380dddb01c0ee6dc0cbc902809f"
      + "4980be920100c0ee6d0080e8dd0dc0a9070c7265626f6f745f666972737408736e617073686f74000001"
      + "0a0000000180b8992900000001000080897a000000000000000000010002020000000000000000000000"
      + "000000")
  private static let run = bytes(
    "01000001060309554e4845414c544859040002050009011104020201d00f0000010b6e6f74206865616c"
      + "74687901027331a01f0105766565616de80701b00900000000000109056167656e740001d08c0101d00f"
      + "feffffffffffffffff01")

  private static func bytes(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
  }
}

@Suite("A row of version 2")
struct RowVersion2Tests {
  @Test("of a client is read, and no outage is declared")
  func client() throws {
    var reader = try rowReader(
      "02034c4141020c4575726f70652f5061726973000002010000010e010e6974406c61612e6578616d706c65"
        + "02667200000000")
    let expected = ClientConfig(
      name: Desk.client, ring: .pilot, zone: "Europe/Paris", requireBackup: true,
      createSnapshots: false, maxBackupAge: .sinceLastJob, priority: 7,
      contacts: [Contact(email: "it@laa.example", language: "fr")])
    #expect(
      try reader.client()
        == StoredClient(config: expected, paused: nil, stop: nil, version: 0))
  }

  @Test("of a server is read, and it is not dismissed")
  func server() throws {
    var reader = try rowReader(
      "020f4c41412d50415249532d5745423031034c414105504152495301035745420201080c77696e646f77732d"
        + "3230323201010676656e646f72036b696d0a0000000001")
    let expected = ServerConfig(
      name: Desk.first, client: Desk.client, site: SiteName(trusted: "PARIS"),
      roles: [Role(trusted: "WEB")], number: 1, updateOrder: 4, system: "windows-2022",
      physical: true)
    let lock = Latch(reason: "vendor", principal: "kim", since: Instant(milliseconds: 5))
    #expect(
      try reader.server()
        == StoredServer(
          config: expected, locked: lock, retired: false, agentVersion: "", version: 1))
  }

  @Test("of a policy is read, and what it did not know has its default")
  func policy() throws {
    var reader = try rowReader(
      "0204c0cf24080113636f6e74696e75655f69665f6865616c74687980d30ec0cf24809f49c0cbc90280e8dd0d"
        + "c0ee6dc0ee6d80bab70380dddb01c0ee6dc0cbc902809f4980be920100c0ee6d0080e8dd0dc0a9070c7265"
        + "626f6f745f666972737408736e617073686f740802444304686f6c640353514c04686f6c6402444204686f"
        + "6c64024d5804686f6c64044558434804686f6c64044d41494c04686f6c6403434c5504686f6c6402485604"
        + "686f6c64000000000000000000000d6265666f72655f77696e646f770105312e342e320106616c77617973")
    var expected = Policy()
    expected.minAgentVersion = AgentVersion("1.4.2")
    expected.windows = MaintenanceWindow(rule: "always")
    expected.download = .beforeWindow
    // What it did not know does not stop it now.
    expected.breakers = .off
    expected.gates = (0...7).compactMap { Ring($0) }.map {
      var gate = Policy.defaultGate($0)
      gate.representative = false
      return gate
    }
    #expect(try reader.policy() == expected)
  }

  @Test("of a run is read")
  func run() throws {
    var reader = try rowReader(
      "02000001060309554e4845414c54485900000000000000000000010b6e6f74206865616c7468790000000000"
        + "000000000104616e6e610000")
    var expected = Run(server: ServerID(0), lane: 0, order: 3)
    expected.restore(state: .held(.unhealthy))
    var content = RunDetails.Content()
    content.lastError = "not healthy"
    content.care = HoldCare()
    content.care?.owner = "anna"
    expected.details = RunDetails(content)
    #expect(try reader.run() == expected)
  }
}

@Suite("A row of version 3")
struct RowVersion3Tests {
  @Test("of a client is read, and no outage is declared")
  func client() throws {
    var reader = try rowReader(
      "03034c4141040355544300000201010180f0b25200c8010000000001010466616972036b696d0001"
        + "d08c010000")
    let latch = Latch(
      reason: "fair", principal: "kim", since: Instant(milliseconds: 0),
      until: Instant(milliseconds: 9_000))
    #expect(
      try reader.client()
        == StoredClient(
          config: ClientConfig(name: Desk.client), paused: nil, stop: nil, version: 1,
          postponed: Postponement(latch: latch)))
    #expect(throws: RowError.self) { try reader.byte() }
  }

  @Test("of a server is read, and it is not dismissed")
  func server() throws {
    var reader = try rowReader(
      "030f4c41412d50415249532d5745423031034c414105504152495300000000000000000001035341"
        + "4e0106776176652d32")
    let config = ServerConfig(
      name: Desk.first, client: Desk.client, site: SiteName(trusted: "PARIS"),
      resources: [ResourceName(trusted: "SAN")], tags: [Tag(trusted: "wave-2")])
    #expect(
      try reader.server()
        == StoredServer(config: config, locked: nil, retired: false, agentVersion: "", version: 0))
    #expect(throws: RowError.self) { try reader.byte() }
  }

  @Test("of a policy is read, and no snapshot is kept")
  func policy() throws {
    var reader = try rowReader(
      "0304c0cf24080113636f6e74696e75655f69665f6865616c74687980d30ec0cf24809f49c0cbc902"
        + "80e8dd0dc0ee6dc0ee6d80bab70380dddb01c0ee6dc0cbc902809f4980be920100c0ee6d0080e8dd"
        + "0dc0a9070c7265626f6f745f666972737408736e617073686f740802444304686f6c640353514c04"
        + "686f6c6402444204686f6c64024d5804686f6c64044558434804686f6c64044d41494c04686f6c64"
        + "03434c5504686f6c6402485604686f6c6400000000000000000000036f66660000010400010801a0"
        + "0128010601060104")
    var expected = Policy()
    expected.perSite = 2
    expected.breakers.maxFailedPerClient = 4
    #expect(try reader.policy() == expected)
    #expect(throws: RowError.self) { try reader.byte() }
  }

  @Test("of a campaign is read, and it rolls nothing back")
  func campaign() throws {
    var reader = try rowReader(
      "03036e6f76036b696d00000000000000000000000004c0cf24080113636f6e74696e75655f69665f"
        + "6865616c74687980d30ec0cf24809f49c0cbc90280e8dd0dc0ee6dc0ee6d80bab70380dddb01c0ee"
        + "6dc0cbc902809f4980be920100c0ee6d0080e8dd0dc0a9070c7265626f6f745f666972737408736e"
        + "617073686f740802444304686f6c640353514c04686f6c6402444204686f6c64024d5804686f6c64"
        + "044558434804686f6c64044d41494c04686f6c6403434c5504686f6c6402485604686f6c64000000"
        + "00000000000000036f666600000000010401a0012801060106010400000e00000000000000000001"
        + "00040300000000000000000000000000000000000000000000000000000000")
    let header = try reader.campaign().header
    #expect(header.name == Desk.campaign)
    #expect(header.policy == Policy())
    #expect(header.createdAt == Instant(milliseconds: 7))
    #expect(header.rollbackOf == nil)
    #expect(header.state == .draft)
    #expect(throws: RowError.self) { try reader.byte() }
  }

  @Test("of a run is read, and it undoes nothing")
  func run() throws {
    var reader = try rowReader(
      "030000010604075550444154454400000000000000000001060104736c6f77000000000000000000"
        + "000108")
    var expected = Run(server: ServerID(0), lane: 0, order: 3)
    expected.restore(state: .completed(.updated))
    expected.deadline = Instant(milliseconds: 3)
    var content = RunDetails.Content()
    content.lastError = "slow"
    content.outcomeAt = Instant(milliseconds: 4)
    expected.details = RunDetails(content)
    #expect(try reader.run() == expected)
    #expect(throws: RowError.self) { try reader.byte() }
  }
}

@Suite("A row of version 4")
struct RowVersion4Tests {
  @Test("of a campaign is read, and nobody has edited its policy")
  func campaign() throws {
    var reader = try rowReader(
      "04036e6f76036b696d00000000000000000000000004c0cf24080113636f6e74696e75655f69665f"
        + "6865616c74687980d30ec0cf24809f49c0cbc90280e8dd0dc0ee6dc0ee6d80bab70380dddb01c0ee"
        + "6dc0cbc902809f4980be920100c0ee6d0080e8dd0dc0a9070c7265626f6f745f666972737408736e"
        + "617073686f740802444304686f6c640353514c04686f6c6402444204686f6c64024d5804686f6c64"
        + "044558434804686f6c64044d41494c04686f6c6403434c5504686f6c6402485604686f6c64000000"
        + "00000000000000036f666600000000010401a0012801060106010400010244430000000e00000000"
        + "0000000000000100040300000000000000000000000000000000000000000000000000000000")
    let header = try reader.campaign().header
    #expect(header.name == Desk.campaign)
    #expect(header.policy == Policy())
    #expect(header.createdAt == Instant(milliseconds: 7))
    #expect(header.earlier.isEmpty)
    #expect(throws: RowError.self) { try reader.byte() }
  }

  @Test("of a server is read, and nothing is known of when it was silent")
  func server() throws {
    var reader = try rowReader(
      "040f4c41412d50415249532d5745423031034c414105504152495300000000000000000001035341"
        + "4e0106776176652d32000000000000")
    let config = ServerConfig(
      name: Desk.first, client: Desk.client, site: SiteName(trusted: "PARIS"),
      resources: [ResourceName(trusted: "SAN")], tags: [Tag(trusted: "wave-2")])
    #expect(
      try reader.server()
        == StoredServer(config: config, locked: nil, retired: false, agentVersion: "", version: 0))
    #expect(throws: RowError.self) { try reader.byte() }
  }

  @Test("of a run is read, and it goes by the policy of now")
  func run() throws {
    var reader = try rowReader(
      "04000001060407555044415445440000000000000000000106010104736c6f770000000000000000"
        + "000001080000000000000000000000000000000000000000")
    var expected = Run(server: ServerID(0), lane: 0, order: 3)
    expected.restore(state: .completed(.updated))
    expected.deadline = Instant(milliseconds: 3)
    var content = RunDetails.Content()
    content.lastError = "slow"
    content.outcomeAt = Instant(milliseconds: 4)
    expected.details = RunDetails(content)
    #expect(try reader.run() == expected)
    #expect(throws: RowError.self) { try reader.byte() }
  }
}

@Suite("A row of version 5")
struct RowVersion5Tests {
  @Test("of a server is read, and its session had ended when it was silent")
  func server() throws {
    var reader = try rowReader(
      "050f4c41412d50415249532d5745423031034c414105504152495300000000000000000001035341"
        + "4e0106776176652d3200000000000001d00f")
    let config = ServerConfig(
      name: Desk.first, client: Desk.client, site: SiteName(trusted: "PARIS"),
      resources: [ResourceName(trusted: "SAN")], tags: [Tag(trusted: "wave-2")])
    #expect(
      try reader.server()
        == StoredServer(
          config: config, locked: nil, retired: false, agentVersion: "", version: 0,
          silentSince: Instant(milliseconds: 1_000)))
    #expect(throws: RowError.self) { try reader.byte() }
  }

  @Test("of a run is read, and nothing is known of what its updates relied on")
  func run() throws {
    var reader = try rowReader(
      "0500000106040755504441544544000000000000000000010601000104736c6f77000000000000000000"
        + "000108000000000000000000000000000000000000000000")
    var expected = Run(server: ServerID(0), lane: 0, order: 3)
    expected.restore(state: .completed(.updated))
    expected.deadline = Instant(milliseconds: 3)
    var content = RunDetails.Content()
    content.lastError = "slow"
    content.outcomeAt = Instant(milliseconds: 4)
    expected.details = RunDetails(content)
    #expect(try reader.run() == expected)
    #expect(throws: RowError.self) { try reader.byte() }
  }
}

@Suite("A row of version 6")
struct RowVersion6Tests {
  @Test("of a campaign is read, with the policy that it had before an edit")
  func campaign() throws {
    var reader = try rowReader(
      "06036e6f76036b696d0000000000000000000000000ec0cf24080113636f6e74696e75655f6966"
        + "5f6865616c74687980d30ec0cf24809f49c0cbc90280e8dd0dc0ee6dc0ee6d80bab70380dddb01"
        + "c0ee6dc0cbc902809f4980be920100c0ee6d0080e8dd0dc0a9070c7265626f6f745f6669727374"
        + "08736e617073686f740802444304686f6c640353514c04686f6c6402444204686f6c64024d5804"
        + "686f6c64044558434804686f6c64044d41494c04686f6c6403434c5504686f6c6402485604686f"
        + "6c6400000000000000000000036f666600000000010401a0012801060106010400010244430000"
        + "0000000100000100000180aaea5502000201000403000000000000000000000000000000000000"
        + "0000000000000000000001904e04c0cf24080113636f6e74696e75655f69665f6865616c746879"
        + "80d30ec0cf24809f49c0cbc90280e8dd0dc0ee6dc0ee6d80bab70380dddb01c0ee6dc0cbc90280"
        + "9f4980be920100c0ee6d0080e8dd0dc0a9070c7265626f6f745f666972737408736e617073686f"
        + "740802444304686f6c640353514c04686f6c6402444204686f6c64024d5804686f6c6404455843"
        + "4804686f6c64044d41494c04686f6c6403434c5504686f6c6402485604686f6c64000000000000"
        + "00000000036f666600000000010401a0012801060106010400010244430001000ec0cf24080113"
        + "636f6e74696e75655f69665f6865616c74687980d30ec0cf24809f49c0cbc90280e8dd0dc0ee6d"
        + "c0ee6d80bab70380dddb01c0ee6dc0cbc902809f4980be920100c0ee6d0080e8dd0dc0a9070c72"
        + "65626f6f745f666972737408736e617073686f740802444304686f6c640353514c04686f6c6402"
        + "444204686f6c64024d5804686f6c64044558434804686f6c64044d41494c04686f6c6403434c55"
        + "04686f6c6402485604686f6c6400000000000000000000036f666600000000010401a001280106"
        + "01060104000102444300")
    let header = try reader.campaign().header
    var policy = Policy()
    policy.maxRetries = 7
    #expect(header.policy == policy)
    #expect(header.earlier.map(\.until) == [Instant(milliseconds: 5_000)])
    #expect(header.earlier.map(\.policy) == [Policy()])
    #expect(
      header.earlier.map(\.overrides) == [[ClientPolicy(client: ClientID(0), policy: policy)]])
    #expect(throws: RowError.self) { try reader.byte() }
  }

  @Test("of a campaign gives its earlier policies to rows of their own when it is loaded")
  func loaded() throws {
    var stored = StoredControl()
    var header = Campaign(
      name: Desk.campaign, author: "kim", selection: Selection(), updateSet: UpdateSet(),
      policy: Policy(), createdAt: Instant(milliseconds: 0))
    let edited = Instant(milliseconds: 5_000)
    header.restore(earlier: [EarlierPolicy(until: edited, policy: Policy(), overrides: [])])
    stored.campaigns = [StoredCampaign(header: header, lanes: [], rings: [], runs: [])]
    var state = ControlState(stored: stored, floors: .init())
    let effects = state.wake(now: Instant(milliseconds: 9_000))
    #expect(effects == [.save(.earlierPolicy(CampaignID(0), 0))])
  }
}

/// Rows of now, written and read back.
@Suite("A row")
struct RowTests {
  private static let ages: [BackupAge] = [
    .atMost(.seconds(60)), .sinceLastJob, .sinceLastJob.tightened(by: .atMost(.seconds(60))),
  ]

  @Test("keeps the age of a backup, and all of a policy", arguments: ages)
  func policy(age: BackupAge) throws {
    var policy = Policy()
    policy.maxBackupAge = age
    policy.download = .beforeWindow
    policy.minAgentVersion = AgentVersion("1.4.2")
    policy.perSite = 2
    policy.resources = [ResourceLimit(name: ResourceName(trusted: "SAN"), limit: 3)]
    policy.breakers.maxFailedPerClient = 4
    policy.minAvailable = 90
    policy.peerCheck = [Role(trusted: "MX")]
    policy.snapshotRetention = .seconds(3_600)
    var writer = ByteWriter(version: StateRows.version)
    writer.put(policy)
    writer.put(age)
    var reader = try ByteReader(writer.bytes, versions: StateRows.readable, row: "campaign")
    #expect(try reader.policy() == policy)
    #expect(try reader.backupAge() == age)
  }

  @Test("keeps all that a run knows")
  func run() throws {
    var run = Run(server: ServerID(0), lane: 0, order: 3)
    run.restore(state: .held(.unhealthy))
    var content = RunDetails.Content()
    content.backup = BackupFact(
      source: "veeam", takenAt: Instant(milliseconds: 500),
      lastJobAt: Instant(milliseconds: 400))
    content.care = HoldCare()
    content.care?.owner = "anna"
    content.care?.deadline = Instant(milliseconds: 7_000)
    content.care?.isOverdue = true
    content.outcomeAt = Instant(milliseconds: 4)
    content.bases = [nil, BackupAge.sinceLastJob].map {
      UpdateBasis(
        checkedAt: Instant(milliseconds: 11), maxBackupAge: $0,
        backup: $0 == nil ? nil : content.backup, snapshotRequired: $0 != nil,
        snapshot: $0.map { _ in SnapshotFact(id: "s1", takenAt: Instant(milliseconds: 10)) },
        slots: 3)
    }
    let checks: [AdmissionCheck?] = [
      nil, .asking(.orderGroup), .asking(.peerCheck), .ordered(Instant(milliseconds: 8)),
      .passed(Instant(milliseconds: 9)),
    ]
    content.approval = Latch(
      reason: "I watch it", principal: "kim", since: Instant(milliseconds: 3))
    content.maintenance = Maintenance(
      since: Instant(milliseconds: 5), expiresAt: Instant(milliseconds: 6), tries: 2, remains: true)
    let other = RunRef(campaign: CampaignID(2), index: 7)
    let kept = KeptSnapshot.Removal.allCases.map {
      KeptSnapshot(until: Instant(milliseconds: 12), removal: $0, tries: 3)
    }
    for (place, check) in checks.enumerated() {
      content.check = check
      content.kept = place < kept.count ? kept[place] : nil
      content.undo = [nil, .planned(other), .done(other)][place % 3]
      content.formerSnapshot =
        place == 0 ? nil : SnapshotFact(id: "s0", takenAt: Instant(milliseconds: 13))
      run.restore(undoes: place - 1)
      run.restore(edition: place)
      run.details = RunDetails(content)
      var writer = ByteWriter(version: StateRows.version)
      writer.put(run)
      var reader = try ByteReader(writer.bytes, versions: StateRows.readable, row: "run")
      #expect(try reader.run() == run)
    }
  }

  @Test("keeps the policies that a campaign had before people edited it")
  func edits() throws {
    var state = ControlState()
    let start = Instant(milliseconds: 0)
    _ = try state.step(
      .fleetImported(
        clients: [ClientConfig(name: Desk.client)],
        servers: [
          ServerConfig(
            name: Desk.first, client: Desk.client, site: SiteName(trusted: "PARIS"))
        ], by: "kim"), now: start)
    var policy = Policy()
    policy.maxRetries = 7
    let own = ClientPolicy(client: ClientID(0), policy: policy)
    let until = Instant(milliseconds: 90_000_000)
    let draft = CampaignDraft(name: Desk.campaign, overrides: [own], endsAt: until)
    _ = try state.step(.createCampaign(draft, by: "kim"), now: start)
    _ = try state.step(
      .startCampaign(CampaignID(0), ifMatch: nil, hookRevision: "", by: "kim"), now: start)
    let edit = CampaignEdit(policy: policy, changes: "max_retries: 2 → 7")
    let at = Instant(milliseconds: 5_000)
    _ = try state.step(.editCampaign(CampaignID(0), edit, by: "kim"), now: at)
    let items: [Effect.Item] = [
      .client(ClientID(0)), .server(ServerID(0)), .campaign(CampaignID(0)),
      .run(RunRef(campaign: CampaignID(0), index: 0)), .earlierPolicy(CampaignID(0), 0),
    ]
    let stored = StoredState(
      rows: items.map { StateRows.row($0, in: state) })
    let header = try StateRows.load(stored).campaigns[0].header
    #expect(header.policy == policy)
    #expect(header.overrides == [])
    #expect(header.earlier.map(\.until) == [at])
    #expect(header.earlier.map(\.policy) == [Policy()])
    #expect(header.earlier.map(\.overrides) == [[own]])
  }

  @Test("keeps what people and the engine said about a client")
  func client() throws {
    var state = ControlState()
    let start = Instant(milliseconds: 0)
    _ = try state.step(
      .fleetImported(clients: [ClientConfig(name: Desk.client)], servers: [], by: "kim"), now: start
    )
    let until = Instant(milliseconds: 9_000)
    let outage = Outage(
      from: start, until: until, parallel: 2, reason: "closed", principal: "kim",
      declaredAt: start)
    _ = try state.step(.declareOutage(ClientID(0), outage), now: start)
    _ = try state.step(
      .postponeClient(ClientID(0), until: until, reason: "fair", by: "kim"), now: start)
    var writer = ByteWriter(version: StateRows.version)
    writer.put(state.clients[0])
    var reader = try ByteReader(writer.bytes, versions: StateRows.readable, row: "client")
    let latch = Latch(reason: "fair", principal: "kim", since: start, until: until)
    #expect(
      try reader.client()
        == StoredClient(
          config: ClientConfig(name: Desk.client), paused: nil, stop: nil, outage: outage,
          version: 2, postponed: Postponement(latch: latch)))
  }

  @Test("keeps a server's place between others")
  func server() throws {
    var state = ControlState()
    let config = ServerConfig(
      name: Desk.second, client: Desk.client, site: SiteName(trusted: "PARIS"),
      resources: [ResourceName(trusted: "SAN")], tags: [Tag(trusted: "wave-2")],
      after: [Desk.first], antiAffinity: GroupName(trusted: "web"), host: Desk.first,
      migratesGuests: true, carriesAtlas: true)
    let host = ServerConfig(
      name: Desk.first, client: Desk.client, site: SiteName(trusted: "PARIS"))
    _ = try state.step(
      .fleetImported(
        clients: [ClientConfig(name: Desk.client)], servers: [host, config],
        by: "kim"),
      now: Instant(milliseconds: 0))
    let hello = Desk.hello(Desk.second)
    _ = try state.step(.agentBack(ServerID(1), hello), now: Instant(milliseconds: 1))
    _ = try state.step(.agentSilent(ServerID(1)), now: Instant(milliseconds: 2))
    var writer = ByteWriter(version: StateRows.version)
    writer.put(state.servers[1])
    var reader = try ByteReader(writer.bytes, versions: StateRows.readable, row: "server")
    #expect(
      try reader.server()
        == StoredServer(
          config: config, locked: nil, retired: false, agentVersion: "1", version: 0,
          silentSince: Instant(milliseconds: 2)))
  }
}

/// A reader of the row that these digits are.
private func rowReader(_ text: String) throws -> ByteReader {
  let digits = text.compactMap(\.hexDigitValue)
  let bytes = stride(from: 0, to: digits.count, by: 2).map {
    UInt8(digits[$0] << 4 | digits[$0 + 1])
  }
  return try ByteReader(bytes, versions: StateRows.readable, row: "row")
}

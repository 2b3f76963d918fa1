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

  @Test("of a later version is refused", arguments: [0, 4, 255] as [UInt8])
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
    run.details = RunDetails(content)
    var writer = ByteWriter(version: StateRows.version)
    writer.put(run)
    var reader = try ByteReader(writer.bytes, versions: StateRows.readable, row: "run")
    #expect(try reader.run() == run)
  }
}

import AtlasModel
import Testing

@testable import AtlasAgent

/// The journal's bytes, and what damage to them means.
@Suite struct JournalFrameTests {
  static let agent = AgentBench.server

  /// One of every entry, with every field set.
  static let entries: [JournalEntry] = {
    let full = Command(
      fence: Fence(.max), kind: .rollback, server: agent, campaign: CampaignName(trusted: "c"),
      runKey: "c/LAA-PARIS-SQL01/1", attempt: 3, pass: 4,
      notAfter: Instant(milliseconds: -5),
      updateSet: UpdateSet(
        include: [UpdateID(trusted: "security")], exclude: [UpdateID(trusted: "KB1")],
        required: [UpdateID(trusted: "KB2"), UpdateID(trusted: "KB3")],
        cutOff: Instant(milliseconds: 1_700_000_000_000)),
      rollbackMeans: .uninstall, snapshotID: "snap-1", afterRollback: true)
    let result = CommandResult(
      status: .environment, retryable: true, code: "0x8024402C", message: "Größe ≠ 0",
      changed: true,
      updates: [UpdateResult(update: UpdateID(trusted: "KB2"), outcome: .reverted, code: "x")],
      rebootRequired: true, moreUpdates: true,
      snapshot: SnapshotFact(id: "snap-1", takenAt: Instant(milliseconds: 7)),
      health: HealthFact(healthy: false, problems: ["a", ""], build: "20348.2113"))
    let report = CommandReport(
      fence: Fence(300), seq: 9, at: Instant(milliseconds: .max), event: .result(result))
    let progress = CommandReport(
      fence: Fence(300), seq: 8, at: Instant(milliseconds: .min),
      event: .progress(ProgressReport(percent: 50, message: "half", changed: true)))
    var state = JournalState(replaying: [.booted(bootID: "b"), .accepted(full), .begun(full.fence)])
    state.refusal = JournalRefusal(fence: Fence(1), message: "no")
    state.cancel = JournalCancel(fence: Fence(3), command: Fence(2))
    state.commands[0].reports = [progress, report]
    return [
      .state(state), .state(JournalState()), .booted(bootID: "boot-1"), .accepted(full),
      .accepted(AgentBench.command(7)), .refused(Fence(8), message: "no"), .begun(Fence(7)),
      .changed(Fence(7)), .report(report), .report(progress), .acknowledged(Fence(7), seq: .max),
      .cancel(Fence(12), command: Fence(7)), .stop(Fence(13)),
    ]
  }()

  private static func frame(_ entries: [JournalEntry]) -> [UInt8] {
    JournalFrame.encode(entries.map { JournalRecord(agent: agent, entry: $0) })
  }

  private static func read(_ bytes: [UInt8]) throws -> (entries: [JournalEntry], intact: Int) {
    let reading = try JournalFrame.decode(bytes)
    #expect(Set(reading.records.map(\.agent)).isSubset(of: [agent]))
    return (reading.records.map(\.entry), reading.intact)
  }

  @Test func `every entry reads back as it was written`() throws {
    let bytes = Self.frame(Self.entries) + Self.frame([.stop(Fence(1))])
    let (entries, intact) = try Self.read(bytes)
    #expect(entries == Self.entries + [.stop(Fence(1))])
    #expect(intact == bytes.count)
  }

  @Test func `an empty journal has no entries`() throws {
    let (entries, intact) = try Self.read([])
    #expect(entries.isEmpty && intact == 0)
  }

  @Test func `a last write that was cut short anywhere is dropped`() throws {
    let first = Self.frame([.begun(Fence(7))])
    let second = Self.frame(Self.entries)
    for cut in 0..<second.count {
      let (entries, intact) = try Self.read(first + second.prefix(cut))
      #expect(entries == [.begun(Fence(7))], "cut at \(cut)")
      #expect(intact == first.count)
    }
  }

  @Test func `a last write whose blocks came out of order is dropped`() throws {
    let first = Self.frame([.begun(Fence(7))])
    var second = Self.frame(Self.entries)
    for index in 0..<second.count / 2 { second[index] = 0 }
    let (entries, intact) = try Self.read(first + second)
    #expect(entries == [.begun(Fence(7))])
    #expect(intact == first.count)
  }

  @Test func `damage with an intact frame behind it is an error that says where`() {
    let first = Self.frame([.begun(Fence(7))])
    let second = Self.frame([.stop(Fence(9))])
    for index in first.indices {
      var bytes = first + second
      bytes[index] ^= 0x55
      let expected =
        index == 2
        ? JournalError.version(0x54) : .damaged(offset: 0, nextIntact: first.count)
      #expect(throws: expected) { try JournalFrame.decode(bytes) }
    }
  }

  @Test func `a right checksum over what is not an entry is an error`() {
    let payload: [UInt8] = [1, 65, 99]
    let checksum = CRC32.checksum(payload[...])
    let bytes =
      JournalFrame.magic + [3, 0, 0, 0]
      + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> ($0 * 8)) } + payload
    #expect(throws: JournalError.notAnEntry(offset: 0)) { try JournalFrame.decode(bytes) }
  }

  @Test func `the checksum is the one everybody has`() {
    #expect(CRC32.checksum(Array("123456789".utf8)[...]) == 0xCBF4_3926)
  }

  @Test func `random bytes never crash the reader`() {
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<2_000 {
      var bytes = Self.frame(Self.entries)
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
          in: 0...255, using: &generator)
      }
      var reader = ByteReader(bytes[JournalFrame.headerSize...])
      while !reader.isAtEnd {
        guard (try? reader.text()) != nil, (try? reader.entry()) != nil else { break }
      }
    }
  }
}

/// The sum of a journal's entries.
@Suite struct JournalStateTests {
  private static let report = CommandReport(
    fence: Fence(7), seq: 1, at: Instant(milliseconds: 0),
    event: .result(CommandResult(status: .succeeded)))

  @Test func `a command that is done and acknowledged is forgotten once a newer one came`() {
    var state = JournalState(replaying: [
      .accepted(AgentBench.command(7)), .begun(Fence(7)), .report(Self.report),
      .acknowledged(Fence(7), seq: 1),
    ])
    #expect(state.commands.map(\.command.fence) == [Fence(7)])
    state.apply(.accepted(AgentBench.command(9)))
    #expect(state.commands.map(\.command.fence) == [Fence(9)])
  }

  @Test func `a command that is done and not acknowledged stays`() {
    let state = JournalState(replaying: [
      .accepted(AgentBench.command(7)), .report(Self.report), .accepted(AgentBench.command(9)),
    ])
    #expect(state.commands.map(\.command.fence) == [Fence(7), Fence(9)])
  }

  @Test func `a compacted journal says what the long one said`() {
    let entries: [JournalEntry] = [
      .booted(bootID: "boot-1"), .accepted(AgentBench.command(7)), .begun(Fence(7)),
      .changed(Fence(7)), .accepted(AgentBench.command(9, .health)), .stop(Fence(12)),
      .cancel(Fence(13), command: Fence(9)), .refused(Fence(14), message: "no"),
    ]
    let state = JournalState(replaying: entries)
    #expect(JournalState(replaying: [.stop(Fence(99)), .state(state)]) == state)
    #expect(state.highestFence == Fence(14))
    #expect(state[Fence(9)]?.withdrawn == true)
  }
}

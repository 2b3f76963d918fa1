import AtlasAgent
import AtlasModel
import Foundation
import Testing

@testable import AtlasAgentKit

/// Journals and disks on a real file system.
@Suite struct DiskTests {
  private static let web = ServerName(trusted: "LAA-PARIS-WEB01")
  private static let sql = ServerName(trusted: "LAA-PARIS-SQL01")

  private static func journal(in state: String) throws -> FileJournal {
    try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
    return try FileJournal(path: state + "/journal")
  }

  @Test func `what was committed is there again, agent by agent`() async throws {
    try await Scratch.with { state in
      let journal = try Self.journal(in: state)
      journal.append(.booted(bootID: "a"), of: Self.web)
      journal.append(.stop(Fence(9)), of: Self.sql)
      try journal.commit()
      let again = try FileJournal(path: state + "/journal")
      #expect(again.state(of: Self.web).bootID == "a")
      #expect(again.state(of: Self.sql).stopFence == Fence(9))
      #expect(again.state(of: ServerName(trusted: "X")) == JournalState())
    }
  }

  @Test func `an acknowledgement alone is not worth a write`() async throws {
    try await Scratch.with { state in
      let journal = try Self.journal(in: state)
      journal.append(.acknowledged(Fence(1), seq: 1), of: Self.web)
      #expect(!journal.needsCommit)
      journal.append(.begun(Fence(2)), of: Self.web)
      #expect(journal.needsCommit)
      try journal.commit()
      #expect(!journal.needsCommit)
      #expect(journal.commits == 1 && journal.entries == 2)
    }
  }

  @Test func `a last write that was cut short is dropped, and writing goes on`() async throws {
    try await Scratch.with { state in
      let journal = try Self.journal(in: state)
      journal.append(.stop(Fence(9)), of: Self.web)
      try journal.commit()
      let path = URL(filePath: state + "/journal")
      let good = try Data(contentsOf: path)
      try (good + good.dropLast(3)).write(to: path)
      let torn = try FileJournal(path: path.path)
      torn.append(.stop(Fence(10)), of: Self.web)
      try torn.commit()
      #expect(try FileJournal(path: path.path).state(of: Self.web).stopFence == Fence(10))
    }
  }

  @Test func `a damaged journal is refused and left as it is`() async throws {
    try await Scratch.with { state in
      let journal = try Self.journal(in: state)
      for fence in [9, 10] as [UInt64] {
        journal.append(.stop(Fence(fence)), of: Self.web)
        try journal.commit()
      }
      let path = URL(filePath: state + "/journal")
      var bytes = try Data(contentsOf: path)
      bytes[14] ^= 1
      try bytes.write(to: path)
      #expect(throws: JournalError.self) { try FileJournal(path: path.path) }
      #expect(try Data(contentsOf: path) == bytes)
    }
  }

  @Test func `opening makes a long journal short`() async throws {
    try await Scratch.with { state in
      let journal = try Self.journal(in: state)
      for fence in 1...500 as ClosedRange<UInt64> {
        journal.append(.stop(Fence(fence)), of: Self.web)
        try journal.commit()
      }
      let path = URL(filePath: state + "/journal")
      let long = try Data(contentsOf: path).count
      #expect(try FileJournal(path: path.path).state(of: Self.web).stopFence == Fence(500))
      #expect(try Data(contentsOf: path).count < long / 50)
    }
  }

  @Test func `the newest disk of a server counts, and a torn line does not`() async throws {
    try await Scratch.with { state in
      try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
      let path = state + "/servers.jsonl"
      var disk = SimulatedDisk()
      let store = try DiskStore(path: path)
      try store.save(disk, of: Self.web)
      disk.boots = 2
      try store.save(disk, of: Self.web)
      let file = try AppendFile(path: path)
      try file.append(Array("{\"server\":\"LAA-PA".utf8))
      #expect(try DiskStore(path: path).disks == [Self.web: disk])
    }
  }

  @Test func `a state directory is made with its parents, and locked`() async throws {
    try await Scratch.with { state in
      let path = state + "/a/b"
      let directory = try StateDirectory(path: path)
      #expect(throws: StateDirectoryError.inUse(path: path)) { try StateDirectory(path: path) }
      withExtendedLifetime(directory) {}
    }
  }

  @Test func `what cannot be a state directory is named, with the reason`() async throws {
    try await Scratch.with { state in
      _ = try StateDirectory(path: state)
      try AppendFile(path: state + "/file").append([1])
      for path in [state + "/file", state + "/file/a"] {
        #expect(
          throws: StateDirectoryError.unusable(path: path, reason: "Not a directory")
        ) { try StateDirectory(path: path) }
      }
    }
  }

  @Test(arguments: [
    (nil, "cannot read PATH: there is no such file"),
    ("servers:", "cannot use PATH: is no JSON"),
    ("[]", "cannot use PATH: the file: is not an object"),
    (#"{"servers": 3}"#, "cannot use PATH: servers: is not an object"),
    (#"{"servers": {"A": 3}}"#, "cannot use PATH: servers.A: is not a text"),
    (#"{"duration_scale": "x"}"#, "cannot use PATH: duration_scale: is not a number"),
    (
      #"{"servers": {"A": "hang"}}"#,
      "cannot use PATH: “hang” for A is not known; did you mean hangs? write none, or one of "
    ),
  ])
  func `a file that a person named says where it is wrong, and what would be right`(
    content: String?, message: String
  ) async throws {
    try await Scratch.with { state in
      let path = state + "/scenario.json"
      _ = try StateDirectory(path: state)
      if let content { try AppendFile(path: path).append(Array(content.utf8)) }
      let error = #expect(throws: NamedFileError.self) {
        try NamedFile.read(path) { try Scenario(json: $0) }
      }
      let expected = message.replacing("PATH", with: path)
      #expect(error?.message.hasPrefix(expected) == true, "\(error?.message ?? "")")
    }
  }

  @Test func `a directory is no file to read`() async throws {
    try await Scratch.with { state in
      _ = try StateDirectory(path: state)
      #expect(throws: NamedFileError("cannot read \(state): Is a directory")) {
        try NamedFile.read(state) { $0 }
      }
    }
  }
}

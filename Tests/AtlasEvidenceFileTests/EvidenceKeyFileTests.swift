import Foundation
import Testing

@testable import AtlasEvidenceFile

@Suite final class `The file of a key` {
  private let directory = FileManager.default.temporaryDirectory
    .appending(path: "atlas-key-\(UUID().uuidString)").path
  private var path: String { "\(directory)/evidence.key" }

  init() throws {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  private func problem() -> String? {
    do throws(EvidenceKeyError) {
      _ = try EvidenceKeyFile(directory: directory).key()
      return nil
    } catch {
      return error.description
    }
  }

  @Test func `is made once, only its owner can read it, and the next daemon finds it`() throws {
    let file = EvidenceKeyFile(directory: directory)
    let key = try file.key()
    #expect(try file.key().bytes == key.bytes)
    #expect(try EvidenceKeyFile(directory: directory).key().bytes == key.bytes)
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["evidence.key"])
  }

  @Test func `is not used when others can read it`() throws {
    _ = try EvidenceKeyFile(directory: directory).key()
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    #expect(problem() == "\(path) can be read by others; chmod 600 it, if nobody has")
  }

  @Test(arguments: [0, 31, 33])
  func `is not replaced when it holds no key`(count: Int) throws {
    let isThere = FileManager.default.createFile(
      atPath: path, contents: Data(count: count), attributes: [.posixPermissions: 0o600])
    #expect(isThere)
    #expect(problem()?.hasPrefix("\(path) holds no key; ") == true)
    #expect(FileManager.default.contents(atPath: path)?.count == count)
  }

  @Test func `cannot be made where there is no directory`() {
    let file = EvidenceKeyFile(directory: "/nowhere/at/all")
    #expect(throws: EvidenceKeyError.self) { try file.key() }
  }
}

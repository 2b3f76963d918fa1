import AtlasModel
import FoundationEssentials

/// The disks of the simulated servers, in `servers.jsonl`: a line for every change, the last one of
/// a server counts. It is shortened when it is opened.
final class DiskStore {
  private struct Line: Codable {
    var server: String
    var disk: SimulatedDisk
  }

  private let file: AppendFile
  private let encoder: JSONEncoder
  private(set) var disks: [ServerName: SimulatedDisk] = [:]

  /// - Throws: `FileError`, or a decoding error for a line that is not one. A last line that was
  ///   cut short is dropped.
  init(path: String) throws {
    encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var lines = (try WholeFile.read(path) ?? []).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    lines.removeLast()
    let decoder = JSONDecoder()
    for line in lines {
      let line = try decoder.decode(Line.self, from: Data(line))
      disks[ServerName(trusted: line.server)] = line.disk
    }
    let known = disks
    let encoder = encoder
    let fresh = try known.keys.sorted().compactMap { server in
      try known[server].map { try Self.encode(server, $0, encoder) }
    }
    try WholeFile.replace(path, with: fresh)
    file = try AppendFile(path: path)
  }

  func save(_ disk: SimulatedDisk, of server: ServerName) throws {
    try file.append(Self.encode(server, disk, encoder))
  }

  private static func encode(
    _ server: ServerName, _ disk: SimulatedDisk, _ encoder: JSONEncoder
  ) throws -> [UInt8] {
    Array(try encoder.encode(Line(server: server.text, disk: disk))) + [UInt8(ascii: "\n")]
  }
}

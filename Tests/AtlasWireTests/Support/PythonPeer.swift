import Foundation
import Testing

@testable import AtlasWire

/// Runs `Interop/peer.py`: another implementation of protobuf over the same descriptors.
///
/// Needs a virtual environment with the package `protobuf`: the one that `ATLAS_VENV` names, or
/// `.venv` at the root of the project, which `scripts/test` makes.
struct PythonPeer {
  /// A request, as `peer.py` documents it.
  struct Request {
    let verb: String
    let type: String
    let argument: String
  }

  private static let python: String? = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let named = ProcessInfo.processInfo.environment["ATLAS_VENV"].map { [URL(filePath: $0)] } ?? []
    return (named + [root.appending(path: ".venv")])
      .map { $0.appending(path: "bin/python").path() }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  static var isInstalled: Bool { python != nil }

  /// The answers to `requests`, in order, as words.
  static func answers(to requests: [Request]) throws -> [[String]] {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }

    let input = folder.appending(path: "requests")
    let output = folder.appending(path: "answers")
    let product = folder.appending(path: "product.binpb")
    let fixtures = folder.appending(path: "fixtures.binpb")
    try Data(FileDescriptorIndex.embeddedDescriptorSet).write(to: product)
    try Data(Fixtures.descriptorSet).write(to: fixtures)
    let lines = requests.map { "\($0.verb) \($0.type) \($0.argument)\n" }.joined()
    try Data(lines.utf8).write(to: input)
    try Data().write(to: output)

    let process = Process()
    process.executableURL = URL(filePath: try #require(python))
    process.arguments = [script, product.path(), fixtures.path()]
    process.standardInput = try FileHandle(forReadingFrom: input)
    process.standardOutput = try FileHandle(forWritingTo: output)
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "peer.py failed")

    let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
      line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    }
  }

  private static let script = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Interop/peer.py").path()
}

extension [UInt8] {
  /// Two digits a byte.
  var hex: String {
    map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  init(hex: some StringProtocol) {
    let digits = hex.compactMap { $0.hexDigitValue.map(UInt8.init) }
    self = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}

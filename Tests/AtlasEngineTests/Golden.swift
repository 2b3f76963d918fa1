import AtlasEngine
import AtlasModel
import AtlasTestKit
import Foundation
import Testing

/// Golden stories: what an ``EngineWorld`` saw, compared with a text file in `Traces/`.
///
/// `ATLAS_UPDATE_TRACES=1 scripts/test` writes the files anew; read the difference before you
/// commit it, because it is what operators will see at night.
enum Golden {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Traces")

  static var isUpdating: Bool {
    ProcessInfo.processInfo.environment["ATLAS_UPDATE_TRACES"] == "1"
  }

  /// Compares the story so far, and demands that nothing was found wrong on the way.
  static func expect(
    _ world: EngineWorld, tells name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(world.violations == [], sourceLocation: sourceLocation)
    let file = folder.appending(path: "\(name).txt")
    if isUpdating {
      try world.story.write(to: file, atomically: true, encoding: .utf8)
    }
    let golden = try String(contentsOf: file, encoding: .utf8)
    if let line = firstDifference(golden, world.story) {
      Issue.record("\(name).txt differs: \(line)", sourceLocation: sourceLocation)
    }
  }

  private static func firstDifference(_ golden: String, _ story: String) -> String? {
    guard golden != story else { return nil }
    let left = golden.split(separator: "\n", omittingEmptySubsequences: false)
    let right = story.split(separator: "\n", omittingEmptySubsequences: false)
    let place = zip(left, right).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    let line = place ?? min(left.count, right.count)
    let expected = line < left.count ? String(left[line]) : "(the end)"
    let found = line < right.count ? String(right[line]) : "(the end)"
    return "line \(line + 1)\n  golden: \(expected)\n  now:    \(found)"
  }
}

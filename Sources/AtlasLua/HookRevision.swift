import AtlasHooks
import AtlasModel

/// A set of hook files that belong together, checked, and never changed.
package struct HookRevision: Sendable {
  package let id: HookRevisionID
  /// Sorted by path.
  package let files: [HookFile]
  /// What is wrong or doubtful, sorted by file and line.
  package let findings: [HookFinding]

  /// Whether campaigns that pinned it may go on with it: nothing is wrong with any file by itself.
  let isRunnable: Bool

  private let byPath: [String: HookFile]

  /// - Parameter findings: About single files.
  init(id: HookRevisionID, files: [HookFile], findings: [HookFinding]) {
    self.id = id
    self.files = files
    isRunnable = !findings.contains { $0.severity == .error }
    self.findings = (findings + Self.halfMaintenance(in: files))
      .sorted { ($0.file, $0.line, $0.message) < ($1.file, $1.line, $1.message) }
    byPath = Dictionary(uniqueKeysWithValues: files.map { ($0.path, $0) })
  }

  /// Whether campaigns may use it from now on: nothing is wrong with any file, nor with what they say
  /// together.
  package var isUsable: Bool { !findings.contains { $0.severity == .error } }

  /// The file whose function runs at a point: the client's, if it defines the function, else
  /// `default.lua`, if that does.
  package func file(for point: HookPoint, client: ClientName) -> HookFile? {
    for path in ["clients/\(client).lua", "default.lua"] {
      if let file = byPath[path], file.functions.contains(point) { return file }
    }
    return nil
  }

  /// The file of a module name such as `lib.backup_api`; nil when there is none.
  func module(_ name: String) -> HookFile? {
    guard let path = HookFile.path(ofModule: name) else { return nil }
    return byPath[path]
  }
}

extension HookRevision {
  /// `enter_maintenance` and `leave_maintenance` are a pair: with one of them alone servers stay in
  /// maintenance, or what is written is never called. `default.lua` may leave for clients that enter
  /// by files of their own.
  private static func halfMaintenance(in files: [HookFile]) -> [HookFinding] {
    let common = files.first { $0.path == "default.lua" }?.functions ?? []
    let isEntered = files.contains { $0.functions.contains(.enterMaintenance) }
    return files.compactMap { file in
      let isCommon = file.path == "default.lua"
      let known = file.functions.union(common)
      let (enters, leaves) = (
        known.contains(.enterMaintenance), known.contains(.leaveMaintenance)
      )
      guard enters != leaves, enters || !isCommon || !isEntered else { return nil }
      let half = enters ? HookPoint.enterMaintenance : .leaveMaintenance
      guard file.functions.contains(half) else { return nil }
      let other = enters ? HookPoint.leaveMaintenance : .enterMaintenance
      let place = isCommon ? "not" : "neither here nor in default.lua"
      let end = enters ? "servers would stay in maintenance" : "it would never be called"
      return HookFinding(
        severity: .error, file: file.path, line: 1,
        message:
          "\(half.rawValue) is here and \(other.rawValue) is \(place), so \(end); write both, "
          + "or neither")
    }
  }
}

/// One file of a revision.
package struct HookFile: Hashable, Sendable {
  /// Relative to the hook directory.
  package let path: String
  package let source: [UInt8]
  /// Points for which it defines a function; none for a module.
  package let functions: Set<HookPoint>
  /// SHA-256 of the source, in hexadecimal.
  package let hash: String

  /// Whether it is a hook file, and not a module.
  package var isHook: Bool { !path.hasPrefix("lib/") }

  /// `lib.a.b` is `lib/a/b.lua`; nil for names that could lead elsewhere.
  static func path(ofModule name: String) -> String? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let isPlain = parts.allSatisfy { part in
      !part.isEmpty
        && part.utf8.allSatisfy { byte in
          byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
    }
    guard parts.count >= 2, parts[0] == "lib", isPlain else { return nil }
    return parts.joined(separator: "/") + ".lua"
  }
}

/// Something that a check found in a hook file.
package struct HookFinding: Hashable, Sendable, CustomStringConvertible {
  package enum Severity: String, Hashable, Sendable {
    /// The revision cannot be used.
    case error
    /// It can, but somebody should look.
    case warning
  }

  package var severity: Severity
  package var file: String
  /// Counted from 1.
  package var line: Int
  package var message: String

  package init(severity: Severity, file: String, line: Int, message: String) {
    self.severity = severity
    self.file = file
    self.line = line
    self.message = message
  }

  package var description: String { "\(file):\(line): \(severity.rawValue): \(message)" }
}

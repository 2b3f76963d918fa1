import Foundation

/// This program once more, for a measurement that others before it in one process would disturb.
enum Itself {
  /// The word that a started one is told by: it prints figures, not rows.
  static let figuresOnly = "figures"

  /// Runs a measurement in a process of its own.
  /// - Returns: what it measured, at least one number.
  static func figures(_ part: String, _ what: String) throws -> [Double] {
    let child = Process()
    let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    child.executableURL = URL(filePath: path)
    child.arguments = [figuresOnly, part, what]
    let output = Pipe()
    child.standardOutput = output
    try child.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    child.waitUntilExit()
    let figures = text.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    guard child.terminationStatus == 0, !figures.isEmpty else { throw Failed(part: part, of: what) }
    return figures
  }

  struct Failed: Error {
    let part: String
    let of: String
  }
}

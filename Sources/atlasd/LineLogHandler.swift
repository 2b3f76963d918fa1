import AtlasRuntime
import Foundation
import Logging

/// One line an event on standard error, in logfmt: time, level, message, then the metadata sorted
/// by key. Values with spaces are quoted; nothing can break a line.
struct LineLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level
  private let label: String

  init(label: String, level: Logger.Level) {
    self.label = label
    logLevel = level
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var line = "time=\(Self.now) level=\(event.level) msg=\(Self.quoted(event.message.description))"
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    for key in all.keys.sorted() {
      line += " \(key)=\(Self.quoted(all[key].map { "\($0)" } ?? ""))"
    }
    line += " logger=\(label)\n"
    FileHandle.standardError.write(Data(line.utf8))
  }

  /// Real time in UTC, to the millisecond.
  private static var now: String {
    Date().formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
  }

  /// The value as it is when it is one harmless word, else quoted and escaped.
  private static func quoted(_ value: String) -> String {
    let harmless = value.unicodeScalars.allSatisfy {
      $0.value > 0x20 && $0.value < 0x7f && $0 != "\"" && $0 != "=" && $0 != "\\"
    }
    if harmless, !value.isEmpty { return value }
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"", "\\": text += "\\\(scalar)"
      case "\n": text += "\\n"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        text += "\\u{\(String(scalar.value, radix: 16))}"
      case _: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}

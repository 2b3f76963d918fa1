import ArgumentParser
import AtlasAgentKit
import AtlasModel
import Foundation

/// Exit codes that scripts can tell apart; the same as those of `atlas`.
enum ExitStatus {
  static let failure: Int32 = 1
  static let unreachable: Int32 = 7
  static let usage: Int32 = 64
}

/// SIGTERM and SIGINT, as a call.
struct Signals {
  private let sources: [any DispatchSourceSignal]

  init(_ handler: @escaping @Sendable () -> Void) {
    sources = [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler { handler() }
      source.resume()
      return source
    }
  }

  func cancel() {
    for source in sources { source.cancel() }
  }
}

/// A duration as people write it.
struct Span: ExpressibleByArgument {
  var duration: Duration

  init(duration: Duration) { self.duration = duration }

  init?(argument: String) {
    guard let duration = try? Duration(text: argument) else { return nil }
    self.duration = duration
  }

  var defaultValueDescription: String { duration.text }
}

extension DaemonAddress: ExpressibleByArgument {
  package init?(argument: String) { self.init(argument) }
}

/// `error: …` on the standard error stream, and what to do about it.
func complain(_ message: String, hint: String? = nil) {
  let lines = "error: \(message)\n" + (hint.map { "hint: \($0)\n" } ?? "")
  FileHandle.standardError.write(Data(lines.utf8))
}

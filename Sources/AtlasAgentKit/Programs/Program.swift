import AtlasAgent
import AtlasModel
import AtlasWire
import Dispatch
import Foundation
import Synchronization

/// What to start, and why.
struct Launch: Sendable {
  struct Resume: Sendable {
    var after: Interruption
    var changed: Bool
  }

  var arguments: [String]
  var command: Command
  var resume: Resume?

  /// The agent's own environment and what the program has to know besides the command.
  var environment: [String: String] {
    var environment = ProcessInfo.processInfo.environment
    if let resume {
      environment["ATLAS_RESUME"] = resume.after.word
      environment["ATLAS_CHANGED"] = resume.changed ? "1" : "0"
    }
    return environment
  }
}

/// A program at work on one command.
package final class Program: Sendable {
  private let fence: Fence
  private let child: ChildProcess
  private let isCancelled = Mutex(false)

  /// Starts it. `deliver` gets what it says and, once, its end.
  /// - Throws: When it cannot be started.
  init(_ launch: Launch, deliver: @escaping @Sendable (AgentInput) -> Void) throws {
    fence = launch.command.fence
    let command = try AtlasV1.Command(launch.command).jsonBytes()
    child = try ChildProcess(launch.arguments, environment: launch.environment)
    child.write(command + [UInt8(ascii: "\n")])
    DispatchQueue(label: "atlas.program").async { deliver(self.listen(deliver)) }
  }

  func permitChange() { child.write(Array("go\n".utf8)) }

  /// Asks the program, and what it has started, to end.
  func cancel() {
    isCancelled.withLock { $0 = true }
    child.terminate()
  }

  /// Passes on what the program says until it ends; gives its end.
  private func listen(_ deliver: (AgentInput) -> Void) -> AgentInput {
    var lines = LineBuffer()
    var result: CommandResult?
    let status = child.read { bytes in
      for line in lines.add(bytes) where result == nil {
        switch ProgramLine(line) {
        case .progress(let progress): deliver(.driverProgress(fence, progress))
        case .willChange: deliver(.driverWillChange(fence))
        case .result(let ended): result = ended
        case .nonsense: break
        }
      }
    }
    return .driverFinished(fence, result ?? silence(status))
  }

  /// The result of a program that gave none.
  private func silence(_ status: ChildProcess.Status) -> CommandResult {
    if isCancelled.withLock({ $0 }) {
      return CommandResult(status: .cancelled, message: "stopped by a cancel or an emergency stop")
    }
    let how =
      switch status {
      case .exited(let code): "ended with status \(code)"
      case .killed(let signal): "was killed by signal \(signal)"
      }
    return CommandResult(
      status: .failed, code: "E_NO_RESULT", message: "the program \(how) and gave no result")
  }
}

/// One line that a program says.
enum ProgramLine: Hashable {
  case progress(ProgressReport)
  case willChange
  case result(CommandResult)
  /// Not part of the protocol: skipped.
  case nonsense

  init(_ line: [UInt8]) {
    self = (try? Self.read(line)) ?? .nonsense
  }

  private static func read(_ line: [UInt8]) throws -> ProgramLine {
    let json = try JSONValue(parsing: line)
    if let progress = json["progress"] {
      let wire = try AtlasV1.Progress(json: progress, options: .init(ignoresUnknownFields: true))
      return .progress(
        ProgressReport(
          percent: Int(wire.percent), message: wire.message, changed: wire.changed))
    }
    if json["will_change"] == .bool(true) { return .willChange }
    guard let result = json["result"] else { return .nonsense }
    return .result(
      try CommandResult(AtlasV1.Result(json: result, options: .init(ignoresUnknownFields: true))))
  }
}

/// Cuts a stream into lines. A line that is too long is dropped up to its end.
struct LineBuffer {
  private static let longest = 256 * 1_024
  private var line: [UInt8] = []
  private var isTooLong = false

  mutating func add(_ data: some Sequence<UInt8>) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    for byte in data {
      guard byte == UInt8(ascii: "\n") else {
        isTooLong = isTooLong || line.count == Self.longest
        if !isTooLong { line.append(byte) }
        continue
      }
      if !isTooLong, !line.isEmpty { lines.append(line) }
      line = []
      isTooLong = false
    }
    return lines
  }
}

extension Interruption {
  /// As programs read it.
  fileprivate var word: String {
    switch self {
    case .agentRestarted: "agent_restarted"
    case .orderedBoot: "ordered_boot"
    case .unexpectedBoot: "unexpected_boot"
    }
  }
}

import AtlasModel
import AtlasWire
import Dispatch
import Foundation
import Glibc

/// The program that looks at the server for a probe: it gets `atlas.v1.Probe` as a line of JSON on
/// its standard input, answers with the line `{"facts": {…}}` (`atlas.v1.ServerFacts`), and must
/// change nothing. It has ``KitLimits/probe`` to do so.
enum ProbeProgram {
  /// What the program says; when it says nothing, a note that says why.
  static func facts(_ arguments: [String], _ probe: Probe) -> ServerFacts {
    do {
      let child = try ChildProcess(arguments, environment: ProcessInfo.processInfo.environment)
      child.write(try AtlasV1.Probe(probe).jsonBytes() + [UInt8(ascii: "\n")])
      let deadline = DispatchWorkItem { child.terminate() }
      DispatchQueue.global().asyncAfter(deadline: .now() + KitLimits.probe, execute: deadline)
      defer { deadline.cancel() }
      return listen(to: child) ?? .silence(of: arguments[0])
    } catch {
      return ServerFacts(notes: ["\(arguments[0]): \(error)"])
    }
  }

  private static func listen(to child: ChildProcess) -> ServerFacts? {
    var lines = LineBuffer()
    var facts: ServerFacts?
    _ = child.read { bytes in
      for line in lines.add(bytes) {
        guard let json = try? JSONValue(parsing: line), let found = json["facts"],
          let wire = try? AtlasV1.ServerFacts(
            json: found, options: .init(ignoresUnknownFields: true))
        else { continue }
        facts = facts ?? ServerFacts(wire)
      }
    }
    return facts
  }
}

extension ServerFacts {
  fileprivate static func silence(of program: String) -> ServerFacts {
    ServerFacts(notes: ["\(program) ended without saying what it found"])
  }

  /// What can be seen without knowing the system: the free space of the root, and the file by which
  /// Debian and its relatives say that a boot is pending.
  static func ofEverySystem() -> ServerFacts {
    var facts = ServerFacts(notes: ["only disk and boot were looked at: no probe is configured"])
    var volume = statvfs()
    if statvfs("/", &volume) == 0 {
      facts.freeDisk = Int64(clamping: volume.f_bavail) * Int64(clamping: volume.f_frsize)
    }
    facts.rebootPending = access("/run/reboot-required", F_OK) == 0
    return facts
  }
}

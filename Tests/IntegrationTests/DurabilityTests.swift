import Foundation
import Testing

extension Programs {
  /// What the kernel saw the daemon do, in order.
  @Suite struct `The answer to an emergency stop` {
    @Test(.timeLimit(.minutes(10)))
    func `leaves the socket after the disk has confirmed the log`() async throws {
      let order = try await trace(environment: [:])
      #expect(order == [.asked, .written, .synced, .answered])
    }

    /// The same look at a daemon that does not wait for the disk: were it blind, it would see
    /// nothing wrong here.
    @Test(.timeLimit(.minutes(10)))
    func `leaves too early when commits are not waited for, and the trace shows it`() async throws {
      let order = try await trace(
        environment: ["ATLAS_TEST_SYNCHRONOUS": "off-and-lose-my-data"])
      #expect(order == [.asked, .written, .answered])
    }

    enum Moment: Equatable {
      case asked, written, synced, answered
    }

    private static let reason = "UNMISTAKABLE-REASON-7c1e"

    /// Runs a daemon under strace, stops everything, and reads the trace.
    private func trace(environment: [String: String]) async throws -> [Moment] {
      let stage = try Stage(StageFleet(clientNames: ["ALF"]))
      let file = stage.path("trace")
      try await stage.startDaemon(
        tracer: [
          "strace", "-f", "-y", "-s", "100000", "-o", file, "-e",
          "trace=read,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,fsync,fdatasync",
        ], environment: environment)
      try await stage.atlas("stop", "--reason", Self.reason)
      stage.daemon?.signalChildren(SIGTERM)
      await stage.daemon?.wait()
      return moments(stage.text("trace"))
    }

    /// The way of the reason through the daemon: in from the socket, into the log's file, the
    /// disk's word for that file, out to the socket.
    private func moments(_ trace: String) -> [Moment] {
      var moments: [Moment] = []
      var begun: [Substring: Substring] = [:]
      for line in trace.split(separator: "\n") {
        let thread = line.prefix { $0 != " " }
        // A call that another thread's interrupts counts from where it ends.
        if line.contains("<unfinished ...>") {
          begun[thread] = line
          if !isOutput(line) { continue }
        }
        let whole = line.contains("resumed>") ? "\(begun[thread] ?? "")\(line)" : String(line)
        if let moment = moment(of: whole, after: moments.last), moments.last != moment {
          moments.append(moment)
        }
      }
      return moments
    }

    /// What goes out counts from where it begins.
    private func isOutput(_ line: Substring) -> Bool {
      ["write(", "writev(", "sendto(", "sendmsg("].contains { line.contains($0) }
    }

    private func moment(of call: String, after last: Moment?) -> Moment? {
      let isSocket = call.contains("<TCP") || call.contains("<socket:")
      let isLog = call.contains("atlas.db-wal>")
      let tells = call.contains(Self.reason)
      if isSocket, tells, last == nil { return .asked }
      if isLog, tells, call.contains("pwrite64("), last == .asked { return .written }
      if isLog, call.contains("sync("), last == .written { return .synced }
      if isSocket, tells, last == .written || last == .synced { return .answered }
      return nil
    }
  }
}

import AtlasModel
import AtlasWire
import Glibc

/// What the simulated servers did, as they saw it, for a checker that shares no code with Atlas.
///
/// `ledger.jsonl`: one JSON object a line, only added to, each handed to the kernel when it
/// happens, so that it survives kill -9. Every line has `event`, `server`, `client`, `real_ns`
/// (wall clock, nanoseconds since 1970) and `campaign_ms` (milliseconds since 1970, null before
/// the first session). Lines about commands have `fence`, `kind`, `campaign`, `run`, `attempt` and
/// `pass` as well.
///
/// | event | more | meaning |
/// |---|---|---|
/// | `planted` | `failure` | what is wrong with this server |
/// | `accepted` | | the agent took a command |
/// | `began` | | the server began to carry it out |
/// | `resumed` | `after` | the agent's process came back to it |
/// | `ended` | see below | it ended |
/// | `healthy` | `down_since_ns` | a HEALTH proved it, after commands that interrupt service |
/// | `stop` | `fence` | an emergency stop reached the agent |
/// | `down`, `up` | | the server went down for a boot, and came up |
/// | `connected`, `disconnected` | `reason` | its session was welcomed, or ended |
///
/// `ended` is the row of a command: `outcome`, `code`, `changed`, `healthy` (the truth),
/// `claims_healthy` (of a HEALTH: what the agent says), and when it was accepted and began by both
/// clocks: `accepted_ns`, `accepted_campaign_ms`, `began_ns`, `began_campaign_ms`, null when an
/// earlier process of the simulator knew it.
package final class Ledger {
  private let file: AppendFile
  /// When commands that run were accepted and began, by fence.
  private var times: [Fence: Times] = [:]

  /// Since when a server's service is interrupted.
  private var downSince: [ServerName: Int64] = [:]

  private struct Times {
    var accepted: Stamp?
    var began: Stamp?
  }

  private struct Stamp {
    var realNanoseconds: Int64
    var campaign: Instant?
  }

  package init(path: String) throws(FileError) {
    file = try AppendFile(path: path)
  }

  typealias Observation = AgentHost<SimulatedServer>.Observation

  func planted(_ server: SimulatedServer) throws {
    guard let failure = server.failure else { return }
    try write("planted", server, nil) { $0.add("failure", failure.rawValue) }
  }

  func record(
    _ observation: Observation, of server: SimulatedServer, at campaign: Instant?
  ) throws {
    switch observation {
    case .accepted(let command):
      times[command.fence] = Times(accepted: stamp(campaign))
      try write("accepted", server, campaign) { $0.add(command) }
    case .stopped(let fence):
      try write("stop", server, campaign) { $0.add("fence", Int64(clamping: fence.number)) }
    case .welcomed:
      try write("connected", server, campaign) { _ in }
    case .sessionEnded(let reason):
      try write("disconnected", server, campaign) { $0.add("reason", reason) }
    case .note(let note):
      try record(note, of: server, at: campaign)
    }
  }

  private func record(
    _ note: SimulatedServer.Note, of server: SimulatedServer, at campaign: Instant?
  ) throws {
    switch note {
    case .began(let command):
      times[command.fence, default: Times()].began = stamp(campaign)
      if command.kind.interruptsService, downSince[server.server] == nil {
        downSince[server.server] = WallClock.nanoseconds
      }
      try write("began", server, campaign) { $0.add(command) }
    case .resumed(let command, let interruption):
      try write("resumed", server, campaign) {
        $0.add(command)
        $0.add("after", String(describing: interruption))
      }
    case .ended(let command, let result, let healthy):
      try ended(command, result, healthy: healthy, server, campaign)
    case .poweredOff: try write("down", server, campaign) { _ in }
    case .booted: try write("up", server, campaign) { _ in }
    case .save: break
    }
  }

  private func ended(
    _ command: Command, _ result: CommandResult, healthy: Bool, _ server: SimulatedServer,
    _ campaign: Instant?
  ) throws {
    let times = times.removeValue(forKey: command.fence)
    try write("ended", server, campaign) { line in
      line.add(command)
      line.add("outcome", String(describing: result.status))
      line.add("code", result.code)
      line.add("changed", result.changed)
      line.add("healthy", healthy)
      if let health = result.health { line.add("claims_healthy", health.healthy) }
      line.add("accepted_ns", times?.accepted?.realNanoseconds)
      line.add("accepted_campaign_ms", times?.accepted?.campaign?.milliseconds)
      line.add("began_ns", times?.began?.realNanoseconds)
      line.add("began_campaign_ms", times?.began?.campaign?.milliseconds)
    }
    guard result.health?.healthy == true, let since = downSince.removeValue(forKey: server.server)
    else { return }
    try write("healthy", server, campaign) {
      $0.add(command)
      $0.add("down_since_ns", since)
    }
  }

  private func write(
    _ event: String, _ server: SimulatedServer, _ campaign: Instant?,
    _ more: (inout JSONLine) -> Void
  ) throws {
    var line = JSONLine()
    line.add("event", event)
    line.add("server", server.server.text)
    line.add("client", server.client)
    line.add("real_ns", WallClock.nanoseconds)
    line.add("campaign_ms", campaign?.milliseconds)
    more(&line)
    try file.append(line.bytes())
  }

  private func stamp(_ campaign: Instant?) -> Stamp {
    Stamp(realNanoseconds: WallClock.nanoseconds, campaign: campaign)
  }
}

extension CommandKind {
  fileprivate var interruptsService: Bool {
    switch self {
    case .update, .reboot, .rollback: true
    case .download, .snapshot, .health, .removeSnapshot: false
    }
  }
}

/// The machine's clock, for people and for comparison with other programs' records.
package enum WallClock {
  /// Nanoseconds since 1970.
  package static var nanoseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// One JSON object on one line.
private struct JSONLine {
  private var members: [JSONValue.Member] = []

  func bytes() throws -> [UInt8] {
    let writer = JSONWriter()
    try writer.value(.object(members))
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  mutating func add(_ name: String, _ value: String) { add(name, .string(value)) }
  mutating func add(_ name: String, _ value: Bool) { add(name, .bool(value)) }
  mutating func add(_ name: String, _ value: Int64?) {
    add(name, value.map { .number(String($0)) } ?? .null)
  }

  mutating func add(_ command: Command) {
    add("fence", Int64(clamping: command.fence.number))
    add("kind", command.kind.word)
    add("campaign", command.campaign.text)
    add("run", command.runKey)
    add("attempt", Int64(command.attempt))
    add("pass", Int64(command.pass))
  }

  private mutating func add(_ name: String, _ value: JSONValue) {
    members.append(JSONValue.Member(name, value))
  }
}

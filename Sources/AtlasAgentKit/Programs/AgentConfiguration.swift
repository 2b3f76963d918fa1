import AtlasAgent
import AtlasModel
import FoundationEssentials

/// The configuration of the agent on a real server, read from a JSON file:
///
/// ```json
/// {
///   "server": "LAA-PARIS-SQL01",
///   "address": "atlas.example:7443",
///   "state_dir": "/var/lib/atlas-agent",
///   "tls": {"authority": "ca.pem", "certificate": "agent.pem", "key": "agent.key"},
///   "programs": {"UPDATE": ["/usr/lib/atlas-agent/update"], "HEALTH": ["/usr/lib/…/health"]},
///   "probe": ["/usr/lib/atlas-agent/probe"],
///   "allowed_hours_utc": ["22:00-06:00"],
///   "forbidden": ["ROLLBACK"],
///   "backup_within": "24h"
/// }
/// ```
/// `programs` names what carries out each kind of command (see ``ProgramServer``); a kind without a
/// program is refused. `probe` looks at the server before a campaign and changes nothing (see
/// ``ProbeProgram``). `allowed_hours_utc` bounds when UPDATE and REBOOT may begin, `forbidden` names
/// commands that never do, `backup_within` refuses the first UPDATE of an attempt when its order names
/// no backup that is so young. Without `tls` the daemon must be on the same machine.
package struct AgentConfiguration: Hashable, Sendable {
  package var server: ServerName
  package var address: DaemonAddress
  package var stateDirectory: String
  package var security: SessionSecurity
  /// Arguments, the program first; absent for a kind that is refused.
  package var programs: [CommandKind: [String]]
  /// Arguments, the program first; nil: what every system has is looked at.
  package var prober: [String]?
  package var rules: AgentRules

  /// - Throws: ``AgentConfigurationError`` saying what is wrong and where.
  package init(json: [UInt8]) throws(AgentConfigurationError) {
    let file: File
    do {
      file = try JSONDecoder().decode(File.self, from: Data(json))
      server = try ServerName(file.server)
    } catch {
      throw AgentConfigurationError(error)
    }
    guard let address = DaemonAddress(file.address) else {
      throw AgentConfigurationError("address: “\(file.address)” is not HOST:PORT")
    }
    guard file.tls != nil || address.isLoopback else {
      throw AgentConfigurationError("tls: is missing, and \(address) is another machine")
    }
    self.address = address
    stateDirectory = file.stateDirectory
    security = file.tls.map { .mutualTLS($0) } ?? .plaintext
    programs = try Self.programs(file.programs ?? [:])
    if let probe = file.probe {
      prober = try Self.absolute(probe, in: "probe")
    }
    rules = AgentRules(
      hours: try (file.allowedHours ?? []).map { text throws(AgentConfigurationError) in
        try Self.hours(text)
      },
      forbidden: try (file.forbidden ?? []).map { word throws(AgentConfigurationError) in
        try Self.kind(word, in: "forbidden")
      },
      backupWithin: try file.backupWithin.map { text throws(AgentConfigurationError) in
        try Self.length(text, in: "backup_within")
      })
  }

  private struct File: Decodable {
    var server: String
    var address: String
    var stateDirectory: String
    var tls: SessionSecurity.TLSFiles?
    var programs: [String: [String]]?
    var allowedHours: [String]?
    var forbidden: [String]?
    var probe: [String]?
    var backupWithin: String?

    enum CodingKeys: String, CodingKey {
      case server, address, tls, programs, forbidden, probe
      case stateDirectory = "state_dir"
      case allowedHours = "allowed_hours_utc"
      case backupWithin = "backup_within"
    }
  }

  private static func programs(
    _ words: [String: [String]]
  ) throws(AgentConfigurationError) -> [CommandKind: [String]] {
    var programs: [CommandKind: [String]] = [:]
    for (word, arguments) in words.sorted(by: { $0.key < $1.key }) {
      programs[try kind(word, in: "programs")] = try absolute(arguments, in: "programs.\(word)")
    }
    return programs
  }

  private static func absolute(
    _ arguments: [String], in field: String
  ) throws(AgentConfigurationError) -> [String] {
    guard arguments.first?.hasPrefix("/") == true else {
      throw AgentConfigurationError("\(field): must begin with an absolute path")
    }
    return arguments
  }

  private static func kind(
    _ word: String, in field: String
  ) throws(AgentConfigurationError) -> CommandKind {
    guard let kind = CommandKind.allCases.first(where: { $0.word == word }) else {
      let known = CommandKind.allCases.map(\.word).joined(separator: ", ")
      throw AgentConfigurationError("\(field): “\(word)” is not one of \(known)")
    }
    return kind
  }

  private static func length(
    _ text: String, in field: String
  ) throws(AgentConfigurationError) -> Duration {
    let length: Duration
    do {
      length = try Duration(text: text)
    } catch {
      throw AgentConfigurationError("\(field): \(error)")
    }
    guard length > .zero else { throw AgentConfigurationError("\(field): must be more than 0") }
    return length
  }

  private static func hours(_ text: String) throws(AgentConfigurationError) -> DailyHours {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { minute($0) }
    guard parts.count == 2, let start = parts[0], let end = parts[1] else {
      throw AgentConfigurationError("allowed_hours_utc: “\(text)” is not like 22:00-06:00")
    }
    return DailyHours(startMinute: start, endMinute: end)
  }

  private static func minute(_ text: Substring) -> Int? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.count == 2 }), let hour = Int(parts[0]),
      let minute = Int(parts[1]), (0..<24).contains(hour), (0..<60).contains(minute)
    else { return nil }
    return hour * 60 + minute
  }
}

/// A configuration that cannot be used.
package struct AgentConfigurationError: Error, Equatable, CustomStringConvertible {
  package let message: String

  package var description: String { message }

  init(_ message: String) { self.message = message }

  init(_ error: any Error) {
    message = (error as? DecodingError)?.words ?? "\(error)"
  }
}

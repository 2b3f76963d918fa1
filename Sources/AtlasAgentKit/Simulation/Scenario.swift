import AtlasModel
import FoundationEssentials

/// What is planted where, read from a file:
///
/// ```json
/// {
///   "servers": {"LAA-PARIS-SQL01": "install_fails_permanently"},
///   "clients": {"ZEN": "source_unreachable"},
///   "duration_scale": 1.0
/// }
/// ```
/// Every key may be left out. A server's own entry wins over its client's, and both over what is
/// drawn. `"none"` is a server with nothing wrong.
package struct Scenario: Hashable, Sendable {
  /// A planted failure; nil is a server that is well.
  package var servers: [String: FailureKind?] = [:]
  package var clients: [String: FailureKind?] = [:]
  /// Of all durations, 0.001 to 1,000.
  package var durationScale = 1.0

  package init() {}

  /// - Throws: ``ScenarioError`` saying what is wrong and where.
  package init(json: [UInt8]) throws(ScenarioError) {
    let file: File
    do {
      file = try JSONDecoder().decode(File.self, from: Data(json))
    } catch let error as DecodingError {
      throw ScenarioError(error)
    } catch {
      throw ScenarioError(message: String(describing: error))
    }
    servers = try Self.kinds(file.servers ?? [:])
    clients = try Self.kinds(file.clients ?? [:])
    durationScale = file.durationScale ?? 1
    guard (0.001...1_000).contains(durationScale) else {
      throw ScenarioError(message: "duration_scale must be between 0.001 and 1000")
    }
  }

  private struct File: Decodable {
    var servers: [String: String]?
    var clients: [String: String]?
    var durationScale: Double?

    enum CodingKeys: String, CodingKey {
      case servers, clients
      case durationScale = "duration_scale"
    }
  }

  private static func kinds(
    _ words: [String: String]
  ) throws(ScenarioError) -> [String: FailureKind?] {
    var kinds: [String: FailureKind?] = [:]
    for (name, word) in words.sorted(by: { $0.key < $1.key }) {
      guard let kind = FailureKind(rawValue: word) else {
        guard word == "none" else { throw ScenarioError(unknown: word, for: name) }
        kinds.updateValue(nil, forKey: name)
        continue
      }
      kinds.updateValue(kind, forKey: name)
    }
    return kinds
  }

  /// Finds names that are not in the fleet: a scenario that plants nothing is a mistake.
  /// - Throws: ``ScenarioError`` naming the first.
  package func check(against members: [FleetMember]) throws(ScenarioError) {
    let known = Set(members.map(\.server.text))
    if let stranger = servers.keys.filter({ !known.contains($0) }).min() {
      throw ScenarioError(message: "the scenario's server \(stranger) is not in the fleet")
    }
    let clientNames = Set(members.map(\.client))
    if let stranger = clients.keys.filter({ !clientNames.contains($0) }).min() {
      throw ScenarioError(message: "the scenario's client \(stranger) is not in the fleet")
    }
  }

  /// What is wrong with a server: as planted, or drawn with a probability of `rate`.
  package func failure(
    of server: ServerName, client: String, seed: UInt64, rate: Double
  ) -> FailureKind? {
    if let planted = servers[server.text] ?? clients[client] { return planted }
    var random = SplitMix64(seed: seed, server.text, "failure")
    guard Double.random(in: 0..<1, using: &random) < rate else { return nil }
    return FailureKind.draw(&random)
  }
}

/// A scenario that cannot be used.
package struct ScenarioError: Error, Equatable, CustomStringConvertible {
  package let message: String

  package var description: String { message }

  init(message: String) { self.message = message }

  init(unknown word: String, for name: String) {
    let known = FailureKind.allCases.map(\.rawValue).sorted()
    let meant = Spelling.nearest(to: word, among: known).map { "did you mean \($0)? " } ?? ""
    message =
      "“\(word)” for \(name) is not known; \(meant)write none, or one of "
      + known.joined(separator: ", ")
  }

  init(_ error: DecodingError) {
    message = error.words
  }
}

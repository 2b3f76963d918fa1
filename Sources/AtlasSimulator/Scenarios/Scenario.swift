import AtlasChecker
import AtlasModel

/// A situation that Atlas must cope with, told in a small world made by hand: what there is, what
/// happens and when, how every server must end, and what the situation is about.
///
/// The same ``Simulation`` plays it that plays seeds, with the checker after everything.
package struct Scenario: Sendable {
  /// A sentence in lower case, such as `installer-hangs`.
  package let name: String
  /// What it shows, in one sentence.
  package let shows: String
  /// Plays it, and says what is wrong.
  package let play: @Sendable () -> ScenarioOutcome

  init(_ name: String, shows: String, play: @escaping @Sendable () -> ScenarioOutcome) {
    self.name = name
    self.shows = shows
    self.play = play
  }

  /// A scenario that is one story.
  init(_ name: String, shows: String, _ write: (inout Night) -> Void) {
    var night = Night()
    write(&night)
    let written = night
    self.init(name, shows: shows) { written.play() }
  }

  package static func named(_ name: String) -> Scenario? { all.first { $0.name == name } }
}

/// How a scenario ended.
package struct ScenarioOutcome: Sendable {
  /// For people, line by line.
  package var story: [String]
  /// What does not hold; empty when everything does.
  package var wrong: [String]
}

/// What must be true of a story besides the invariants.
struct Claim: Sendable {
  let text: String
  let holds: @Sendable (Told) -> Bool
}

/// A story that was told, for claims about it.
struct Told: Sendable {
  let midnight: Instant
  let records: [RecordFact]
  /// All of the story, also what its trace leaves out.
  let lines: [String]

  /// Where every server that has a run stands, by its newest run: `COMPLETED UPDATED`.
  var endings: [String: String] {
    var endings: [String: String] = [:]
    for record in records where !record.server.isEmpty && !record.to.isEmpty {
      if record.from != record.to || record.kind == "run.created" {
        endings[record.server] =
          record.to == "PENDING" || record.to == "IN_PROGRESS" || record.to == "PARKED"
          ? "\(record.to)\(record.phase.isEmpty ? "" : " \(record.phase)")"
          : "\(record.to)\(record.detail.isEmpty ? "" : " \(record.detail)")"
      }
    }
    return endings
  }

  /// Records of a kind, of a server or client (empty: of any), with a text somewhere in phase,
  /// detail or reason.
  func all(_ kind: String, of name: String = "", _ text: String = "") -> [RecordFact] {
    records.filter {
      $0.kind == kind && (name.isEmpty || $0.server == name || $0.client == name)
        && (text.isEmpty || [$0.phase, $0.detail, $0.reason].contains { $0.contains(text) })
    }
  }

  /// Time of day of the first such record; nil when there is none.
  func time(_ kind: String, of name: String = "", _ text: String = "") -> Duration? {
    all(kind, of: name, text).first.map { Instant(milliseconds: $0.at) - midnight }
  }

  func has(_ kind: String, of name: String = "", _ text: String = "") -> Bool {
    !all(kind, of: name, text).isEmpty
  }

  /// Whether there is a record of each kind of each server or client, and the first of the one
  /// comes before the first of the other.
  func isBefore(_ first: (kind: String, of: String), _ second: (kind: String, of: String)) -> Bool {
    guard let first = all(first.kind, of: first.of).first,
      let second = all(second.kind, of: second.of).first
    else { return false }
    return first.seq < second.seq
  }

  /// How often a server was started.
  func starts(of server: String = "") -> Int { all("run.started", of: server).count }
}

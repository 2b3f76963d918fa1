import AtlasChecker
import AtlasControl
import AtlasEngine
import AtlasModel

/// What happens in a plan that is written instead of drawn, and when. With a script every message,
/// boot and hook takes its usual time, and nothing goes wrong but what is written here.
package struct Script: Sendable {
  /// Times of day are counted from here: midnight UTC at the beginning of the first day.
  package var midnight: Instant
  /// When it must have settled, from ``midnight``.
  package var ends: Duration
  package var cues: [Cue] = []
  package var hooks: [WrittenHook] = []
  /// Lives of the daemon, counted from 1, that end after so many things.
  package var lives: [Int: Int] = [:]

  package init(midnight: Instant, ends: Duration) {
    self.midnight = midnight
    self.ends = ends
  }
}

/// Something that happens once: when its moment has come.
package struct Cue: Sendable {
  package var when: When
  /// From that moment.
  package var wait = Duration.zero
  package var deed: Deed

  package enum When: Hashable, Sendable {
    /// A time of day, from ``Script/midnight``; 25 h is one o'clock in the first night.
    case at(Duration)
    /// A record is durable: of its kind, of a server or else a client, in a phase or any (empty).
    case record(String, of: String, phase: String)
    /// A server begins to carry out an order of this kind.
    case begins(CommandKind, ServerName)
    /// The first install of a server begins.
    case changes(ServerName)
    /// An order of this kind leaves the daemon.
    case sends(CommandKind, ServerName)
    /// A hook is called.
    case hook(HookPoint, ServerName)
  }

  package enum Deed: Sendable {
    /// A person asks for this; the name of the method comes with it.
    case asks(Change, String)
    /// A person decides about the server's held run of the plan's first campaign.
    case resolves(ServerName, Decision)
    /// Somebody boots the server by hand, and it is up again after so long.
    case bootsByHand(ServerName, for: Duration)
    /// The agent's process ends and starts again after so long.
    case crashesAgent(ServerName, for: Duration)
    /// No agent of the client reaches the daemon for so long.
    case darkens(ClientName, for: Duration)
    /// No agent at all does.
    case cutsLine(for: Duration)
    case killsDaemon
    /// It dies after so many more of the things that it does, from 0.
    case killsDaemonAfter(Int)
    case copiesDatabase
    case restoresDatabase
    /// From now on the server has this wrong with it.
    case ails(ServerName, Ailment)
    case recovers(ServerName, Ailment)
  }
}

/// What a hook says instead of “all is well”. The first that fits counts.
package struct WrittenHook: Sendable {
  package var point: HookPoint
  /// Nil for every server.
  package var server: ServerName?
  package var says: Answer
  /// Both from ``Script/midnight``; before and later it says that all is well.
  package var from: Duration?
  package var until: Duration?

  package enum Answer: Hashable, Sendable {
    /// A backup that is so old.
    case backup(age: Duration)
    case fails(String, retryable: Bool)
    case defers(Duration, String)
    case next(ServerName)
    /// It does not end until it is cancelled.
    case hangs
  }
}

extension Simulation {
  /// Moments of the script that come at a time of day; the others wait until they are seen.
  func planCues() {
    guard let script = plan.script else { return }
    for (number, cue) in script.cues.enumerated() {
      if case .at(let time) = cue.when {
        agenda.plan(.cue(number), at: script.midnight + time + cue.wait)
      } else {
        openCues.append(number)
      }
    }
  }

  /// Moments of the script that never came, in words: it is not the story that it was to be.
  var missedCues: [String] {
    openCues.compactMap { number in
      plan.script.map { "the moment never comes: \($0.cues[number].when)" }
    }
  }

  /// Something has happened that a cue may wait for.
  func see(_ moment: @autoclosure () -> Cue.When) {
    guard !openCues.isEmpty, let script = plan.script else { return }
    let seen = moment()
    for number in openCues where script.cues[number].when == seen {
      after(script.cues[number].wait, .cue(number))
    }
    openCues.removeAll { script.cues[$0].when == seen }
  }

  func seeRecord(_ record: RecordFact) {
    guard plan.script != nil else { return }
    records.append(record)
    let subject = record.server.isEmpty ? record.client : record.server
    see(.record(record.kind, of: subject, phase: ""))
    if !record.phase.isEmpty { see(.record(record.kind, of: subject, phase: record.phase)) }
  }

  func take(_ number: Int) {
    guard let deed = plan.script?.cues[number].deed else { return }
    switch deed {
    case .asks(let change, let method): ask(change, method)
    case .resolves(let server, let decision): resolve(server, decision)
    case .bootsByHand(let server, let time):
      tell("somebody boots \(server) by hand")
      withMachine(server) { goDown($0, for: time) }
    case .crashesAgent(let server, let time): withMachine(server) { crashAgent($0, back: time) }
    case .darkens(let client, let time):
      tell("the line of \(client) is down")
      darken(client, for: time)
    case .cutsLine(let time):
      tell("the provider's line is down")
      cutLine(for: time)
    case .killsDaemon: killDaemon("somebody killed it")
    case .killsDaemonAfter(let count): daemon?.diesAfter = count
    case .copiesDatabase:
      tell("the database is copied")
      backUpDatabase()
    case .restoresDatabase: restoreDatabase()
    case .ails(let server, let ailment):
      withMachine(server) { machines[$0].ailments.insert(ailment) }
    case .recovers(let server, let ailment):
      withMachine(server) { machines[$0].ailments.remove(ailment) }
    }
  }

  private func withMachine(_ server: ServerName, _ act: (Int) -> Void) {
    guard let number = machineOf[server] else {
      return checker.fail("defect", "the script names \(server), which the plan does not have")
    }
    act(number)
  }

  private func resolve(_ server: ServerName, _ decision: Decision) {
    guard let campaign = plan.campaigns.first?.name, let state = daemon?.machine.state,
      let id = state.server(named: server), let run = state[server: id].openRun
    else { return }
    let etag = String(state[run].version)
    ask(
      .resolveRun(campaign, server, decision, etag: etag, reason: "looked at"),
      "ResolveServerRun")
  }

  /// What the script lets a hook say, and whether it ever does (nil); nil when it is not written.
  func writtenAnswer(_ order: HookOrder) -> HookVerdict?? {
    guard let script = plan.script else { return nil }
    let hook = script.hooks.first {
      $0.point == order.point && $0.server ?? order.server == order.server
        && $0.from.map { script.midnight + $0 <= now } ?? true
        && $0.until.map { now < script.midnight + $0 } ?? true
    }
    return hook.map { verdict(of: $0.says) }
  }

  private func verdict(of answer: WrittenHook.Answer) -> HookVerdict? {
    switch answer {
    case .backup(let age):
      let taken = now - age
      let backup = BackupFact(
        source: "nightly", takenAt: taken, verifiedAt: taken + .seconds(60), lastJobAt: taken)
      return .ok(backup: backup, snapshot: nil)
    case .fails(let reason, let retryable): return .fail(reason, retryable: retryable)
    case .defers(let time, let reason): return .deferred(after: time, reason: reason)
    case .next(let server): return .next(server)
    case .hangs: return nil
    }
  }
}

import AtlasControl
import AtlasModel

/// An emergency stop in every phase: a scenario each.
///
/// A world of two servers of one client; the first is somewhere when everything is stopped. Half an
/// hour later the stop is released, three minutes later the campaign resumed.
extension Scenario {
  static let ofStops: [Scenario] = [
    stop(
      "stop-while-pending", shows: "nothing starts before the stop is released and resumed",
      when: .at(Night.clock(21, 59))),
    stop(
      "stop-while-deferred", shows: "it stays deferred, and starts nothing",
      when: .record("run.deferred", of: first, phase: "")
    ) { night in
      night.hook(
        .verifyBackup, says: .defers(.seconds(600), "the backup runs"),
        until: Night.clock(22, 30))
    },
    stop(
      "stop-in-download", shows: "the download is taken back, and nobody fetches for the night",
      when: .begins(.download, .of(first)), after: 60
    ) { night in
      night.policy.download = .beforeWindow
    },
    stop(
      "stop-in-pre-check",
      shows: "the hook is cancelled, the slot returned, the attempt not counted",
      when: .hook(.verifyBackup, .of(first)), after: 2, parksAs: nil
    ) { night in
      night.claim("it is given back and starts a second time") {
        $0.has("run.given_back", of: first) && $0.starts(of: first) == 2
      }
    },
    stop(
      "stop-in-snapshot", shows: "the snapshot is finished, then removed, and the slot returned",
      when: .begins(.snapshot, .of(first)), after: 5
    ) { night in
      night.claim("it is given back and starts a second time") {
        $0.has("run.given_back", of: first) && $0.starts(of: first) == 2
      }
    },
    stop(
      "stop-in-update-that-was-not-handed-over",
      shows: "an order that waits for its agent leaves the outbox with the stop",
      when: .record("run.phase", of: first, phase: "UPDATE"), after: 10
    ) { night in
      night.clients[0].hooks += [.snapshot, .finalize]
      night.when(
        .hook(.verifyBackup, .of(first)), after: .seconds(1),
        .crashesAgent(.of(first), for: .seconds(240)))
      night.claim("it is given back, and its order never leaves") {
        $0.has("run.given_back", of: first) && $0.starts(of: first) == 2
      }
    },
    stop(
      "stop-in-update-that-was-sent",
      shows: "an order on its way is settled by the agent, and nothing begins below the stop",
      when: .sends(.update, .of(first)), parksAs: "UPDATE"),
    stop(
      "stop-in-update", shows: "the installation finishes, and the server parks before its boot",
      when: .changes(.of(first)), after: 60, parksAs: "REBOOT"
    ) { night in
      night.claim("it boots only after the release") { told in
        guard let down = told.lines.first(where: { $0.contains("\(first) goes down") }) else {
          return false
        }
        return down > "22:31"
      }
    },
    stop(
      "stop-in-update-without-a-boot",
      shows: "the installation finishes and is checked, and the server parks before what follows",
      when: .changes(.of(first)), after: 60, parksAs: "FINALIZE"
    ) { night in
      night.server(first) { $0.traits.wantsBoot = false }
    },
    stop(
      "stop-in-reboot", shows: "it comes back and is checked, and parks before what follows",
      when: .begins(.reboot, .of(first)), after: 30, parksAs: "FINALIZE"),
    stop(
      "stop-in-post-check", shows: "the checks end, and the server parks before what follows",
      when: .begins(.health, .of(first)), after: 5, parksAs: "FINALIZE"),
    stop(
      "stop-when-an-update-fails",
      shows: "what fails is rolled back and verified, and not tried again",
      when: .changes(.of(first)), after: 60
    ) { night in
      night.server(first, ails: .installFailsOnce)
      night.ends(first, "FAILED ROLLED_BACK")
      night.claim("nothing is tried again") { !$0.has("run.retried") && !$0.has("run.backoff") }
      night.claim("it is verified under the stop") {
        $0.isBefore(("run.failed", first), ("stop.released", ""))
      }
    },
    stop(
      "stop-in-back-off", shows: "the next attempt waits until the campaign is resumed",
      when: .record("run.backoff", of: first, phase: ""), after: 60, parksAs: "UPDATE"
    ) { night in
      night.server(first, ails: .installFailsOnce)
      night.claim("the next attempt comes after the release") {
        $0.isBefore(("stop.released", ""), ("run.retried", first))
      }
    },
    stop(
      "stop-in-rollback", shows: "a rollback finishes, and so does what verifies it",
      when: .begins(.rollback, .of(first)), after: 5
    ) { night in
      night.server(first, ails: .installFails)
      night.ends(first, "FAILED ROLLED_BACK")
      night.claim("it ends under the stop") {
        $0.isBefore(("run.failed", first), ("stop.released", ""))
      }
    },
    stop(
      "stop-in-verify", shows: "what was rolled back is verified to the end",
      when: .record("run.phase", of: first, phase: "VERIFY"), after: 5
    ) { night in
      night.server(first, ails: .installFails)
      night.ends(first, "FAILED ROLLED_BACK")
      night.claim("it ends under the stop") {
        $0.isBefore(("run.failed", first), ("stop.released", ""))
      }
    },
    stop(
      "stop-in-soak", shows: "a server that is watched parks, and is watched anew",
      when: .record("run.phase", of: first, phase: "SOAK"), after: 60, parksAs: "SOAK"
    ) { night in
      night.policy.serverSoak = .seconds(600)
    },
    stop(
      "stop-in-finalize", shows: "cleaning up finishes, and the server is completed",
      when: .begins(.removeSnapshot, .of(first)), after: 2
    ) { night in
      night.claim("it is completed under the stop") {
        $0.isBefore(("run.completed", first), ("stop.released", ""))
      }
    },
    stop(
      "stop-of-one-client-before-its-window",
      shows: "nothing of the client starts in its window, and others do",
      when: .at(Night.clock(21, 59)), client: "ATL"
    ) { night in
      night.client("LAA", ["WEB01", "WEB02"])
      night.claim("the other client starts when the window opens") {
        ($0.time("run.started", of: "LAA-LYON-WEB01") ?? .zero) < Night.clock(22, 1)
      }
    },
    stop(
      "stop-of-one-client", shows: "what is stopped for one client goes on at all others",
      when: .changes(.of(first)), after: 60, parksAs: "REBOOT", client: "ATL"
    ) { night in
      night.client("LAA", ["WEB01", "WEB02"])
      night.claim("the other client is done before the release") {
        $0.isBefore(("run.completed", "LAA-LYON-WEB01"), ("stop.released", ""))
      }
    },
  ]

  private static let first = "ATL-LYON-WEB01"

  /// - Parameters:
  ///   - delay: From the moment to the stop, in seconds.
  ///   - parksAs: The phase before which the first server is PARKED; nil when it is not.
  ///   - client: Whom it stops; nil for everybody.
  private static func stop(
    _ name: String, shows: String, when: Cue.When, after delay: Int = 0, parksAs: String? = nil,
    client: String? = nil, _ write: (inout Night) -> Void = { _ in }
  ) -> Scenario {
    Scenario(name, shows: shows) { night in
      night.client("ATL", ["WEB01", "WEB02"])
      write(&night)
      night.stop(client, when: when, after: .seconds(delay))
      night.claim(parksAs.map { "it parks before \($0)" } ?? "it does not park") {
        $0.all("run.parked", of: first).map(\.phase) == (parksAs.map { [$0] } ?? [])
      }
      night.claim("under the stop nothing starts, installs, boots or takes a snapshot") {
        $0.beginsNothing(of: client ?? "ATL")
      }
    }
  }
}

extension Night {
  /// Somebody stops a client, or everybody (nil), releases it half an hour later, and resumes three
  /// minutes after that.
  mutating func stop(_ client: String?, when moment: Cue.When, after wait: Duration) {
    let stopped = client.map(ClientName.of)
    let stop = Change.stop(stopped, reason: "smoke in the server room")
    when(moment, after: wait, .asks(stop, "EmergencyStop"))
    let release = Change.releaseStop(stopped, reason: "a false alarm")
    when(moment, after: wait + .seconds(1_800), .asks(release, "ReleaseStop"))
    let resume =
      stopped.map { Cue.Deed.asks(.resumeClient($0), "ResumeClient") }
      ?? .asks(.resumeCampaign(Night.campaign, .all, now: false), "ResumeCampaign")
    when(moment, after: wait + .seconds(1_980), resume)
  }
}

extension Told {
  /// Whether nothing of a client begins between a stop and its release, by the log and the story.
  func beginsNothing(of client: String) -> Bool {
    let isOver = lines.firstIndex { $0.contains("log stop.released") } ?? lines.endIndex
    guard let start = lines.firstIndex(where: { $0.contains("log stop.latched") }), start < isOver
    else {
      return false
    }
    let starts = [
      "log run.started", "begins UPDATE", "begins REBOOT", "begins SNAPSHOT", "begins DOWNLOAD",
    ]
    return !lines[start..<isOver].contains { line in
      line.contains(" \(client)-") && starts.contains { line.contains($0) }
    }
  }
}

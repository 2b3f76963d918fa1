/// What an agent says about itself when a session begins.
package struct Hello: Hashable, Sendable {
  package var server: ServerName
  package var agentVersion: String
  /// Changes with every boot of the server.
  package var bootID: String
  /// Highest fence in its journal; ``Fence/none`` when the journal is new.
  package var highestFence: Fence
  /// The newest command in its journal; nil when it has none.
  package var command: CommandStatus?
  /// Reports that the daemon has not acknowledged, oldest first.
  package var reports: [CommandReport]

  package init(
    server: ServerName, agentVersion: String, bootID: String, highestFence: Fence = .none,
    command: CommandStatus? = nil, reports: [CommandReport] = []
  ) {
    self.server = server
    self.agentVersion = agentVersion
    self.bootID = bootID
    self.highestFence = highestFence
    self.command = command
    self.reports = reports
  }
}

/// From an agent to the daemon.
package enum AgentMessage: Hashable, Sendable {
  /// First message of a session, and only the first.
  case hello(Hello)
  case acknowledgement(CommandAcknowledgement)
  case report(CommandReport)
  /// Answers ``DaemonMessage/probe(_:)``; not kept, and not repeated.
  /// Indirect, because it is large and rare.
  indirect case probed(ProbeAnswer)
}

/// From the daemon to an agent.
package enum DaemonMessage: Hashable, Sendable {
  /// Answers ``AgentMessage/hello(_:)``.
  case welcome(Welcome)
  case command(Command)
  /// Takes back the command with fence `command` if it has not begun.
  case cancel(fence: Fence, command: Fence)
  /// Commands below the fence that have not begun must not begin.
  case stop(fence: Fence)
  /// The daemon has committed the reports of `fence` up to number `seq`.
  case reportAcknowledgement(fence: Fence, seq: UInt32)
  /// How is the server? Changes nothing.
  indirect case probe(Probe)
}

/// The daemon's answer to a hello.
package struct Welcome: Hashable, Sendable {
  package var daemonVersion: String
  package var campaignTime: Instant
  /// How many times faster than real time campaign time runs; 1 outside rehearsals.
  package var demoFactor: Int
  /// How often an agent that polls comes back, in real time.
  package var checkInterval: Duration
  /// Newest emergency stop that concerns the server; ``Fence/none`` when there was none.
  package var stopFence: Fence

  package init(
    daemonVersion: String, campaignTime: Instant, demoFactor: Int, checkInterval: Duration,
    stopFence: Fence
  ) {
    self.daemonVersion = daemonVersion
    self.campaignTime = campaignTime
    self.demoFactor = demoFactor
    self.checkInterval = checkInterval
    self.stopFence = stopFence
  }
}

/// The agent's answer to a command, given after it is in the journal.
package struct CommandAcknowledgement: Hashable, Sendable {
  package enum Verdict: UInt8, CaseIterable, Hashable, Sendable {
    /// Journaled; it will be carried out, or already was.
    case accepted
    /// The agent has seen a higher fence.
    case stale
    /// The agent's own rules forbid it.
    case refused
  }

  package var fence: Fence
  package var verdict: Verdict
  /// Why it was refused.
  package var message: String
  /// What the journal says, when the command was known already.
  package var recorded: CommandStatus?

  package init(
    fence: Fence, verdict: Verdict, message: String = "", recorded: CommandStatus? = nil
  ) {
    self.fence = fence
    self.verdict = verdict
    self.message = message
    self.recorded = recorded
  }
}

/// News about a command. The agent keeps it until it is acknowledged; a known one is dropped.
package struct CommandReport: Hashable, Sendable {
  package enum Event: Hashable, Sendable {
    case progress(ProgressReport)
    /// Indirect, because it is large and handed on from one to the next.
    indirect case result(CommandResult)
  }

  package var fence: Fence
  /// 1 for the first report of a fence, then counted up without gaps.
  package var seq: UInt32
  /// When it happened, by the agent's clock in campaign time.
  package var at: Instant
  package var event: Event

  package init(fence: Fence, seq: UInt32, at: Instant, event: Event) {
    self.fence = fence
    self.seq = seq
    self.at = at
    self.event = event
  }
}

/// A command goes on.
package struct ProgressReport: Hashable, Sendable {
  /// 0 to 100.
  package var percent: Int
  package var message: String
  /// The first install has begun.
  package var changed: Bool

  package init(percent: Int, message: String = "", changed: Bool = false) {
    self.percent = percent
    self.message = message
    self.changed = changed
  }
}

/// How a command has ended.
package struct CommandResult: Hashable, Sendable {
  package enum Status: UInt8, CaseIterable, Hashable, Sendable {
    case succeeded
    /// The command did not do what it should.
    case failed
    /// The agent would not begin it; nothing was changed.
    case refused
    /// Something around the server is at fault, such as an update source that does not answer.
    case environment
    /// A cancel or a stop took it back before it began.
    case cancelled
  }

  package var status: Status
  /// Whether another try may help.
  package var retryable: Bool
  /// Code of what failed, such as `0x8024402C`.
  package var code: String
  package var message: String
  /// The server is not as it was before the command.
  package var changed: Bool
  /// For update and health.
  package var updates: [UpdateResult]
  /// For update: servicing wants a boot before it can go on.
  package var rebootRequired: Bool
  /// For update and reboot: updates of the set are found that are not installed yet.
  package var moreUpdates: Bool
  /// For snapshot.
  package var snapshot: SnapshotFact?
  /// For health.
  package var health: HealthFact?

  package init(
    status: Status, retryable: Bool = false, code: String = "", message: String = "",
    changed: Bool = false, updates: [UpdateResult] = [], rebootRequired: Bool = false,
    moreUpdates: Bool = false, snapshot: SnapshotFact? = nil, health: HealthFact? = nil
  ) {
    self.status = status
    self.retryable = retryable
    self.code = code
    self.message = message
    self.changed = changed
    self.updates = updates
    self.rebootRequired = rebootRequired
    self.moreUpdates = moreUpdates
    self.snapshot = snapshot
    self.health = health
  }
}

/// A snapshot that exists.
package struct SnapshotFact: Hashable, Sendable {
  package var id: String
  package var takenAt: Instant

  package init(id: String, takenAt: Instant) {
    self.id = id
    self.takenAt = takenAt
  }
}

/// A backup that exists, as a hook found it.
package struct BackupFact: Hashable, Sendable {
  /// What took it, such as a job's name.
  package var source: String
  package var takenAt: Instant
  /// When somebody last proved that it can be read; nil when nobody did.
  package var verifiedAt: Instant?
  /// When somebody last restored from it; nil when nobody did.
  package var restoreTestedAt: Instant?
  /// When the newest backup job of the server began; nil when nobody said. A backup that was taken
  /// before that is of an earlier job.
  package var lastJobAt: Instant?

  package init(
    source: String, takenAt: Instant, verifiedAt: Instant? = nil, restoreTestedAt: Instant? = nil,
    lastJobAt: Instant? = nil
  ) {
    self.source = source
    self.takenAt = takenAt
    self.verifiedAt = verifiedAt
    self.restoreTestedAt = restoreTestedAt
    self.lastJobAt = lastJobAt
  }
}

/// How a server is.
package struct HealthFact: Hashable, Sendable {
  package var healthy: Bool
  /// What is wrong, one line each.
  package var problems: [String]
  /// Build of the operating system, such as `20348.2113`.
  package var build: String

  package init(healthy: Bool, problems: [String] = [], build: String = "") {
    self.healthy = healthy
    self.problems = problems
    self.build = build
  }
}

#if canImport(AtlasModel)
  package import AtlasModel

  // The agent protocol between the values the machines speak (AtlasModel) and the messages of
  // atlas/v1/agent.proto. To the wire nothing can fail. From the wire everything is checked, and an
  // error names the field: what passes can be trusted by the machines. Texts for people are cut and
  // cleaned, not refused, because an agent would send a refused report for ever.

  // MARK: - From the agent

  extension AtlasV1.SessionRequest {
    /// `message`, for the wire.
    package init(_ message: AgentMessage) {
      switch message {
      case .hello(let hello): self.init(payload: .hello(.init(hello)))
      case .acknowledgement(let answer): self.init(payload: .commandAck(.init(answer)))
      case .report(let report): self.init(payload: .report(.init(report)))
      case .probed(let answer): self.init(payload: .probeAnswer(.init(answer)))
      }
    }
  }

  extension AgentMessage {
    /// What an agent sent.
    /// - Throws: ``WireError`` naming the first field that is missing or wrong.
    package init(_ wire: AtlasV1.SessionRequest) throws(WireError) {
      self = try Check.of(AtlasV1.SessionRequest.self) { () throws(WireError) in
        switch wire.payload {
        case .hello(let hello):
          .hello(try Check.at("hello") { () throws(WireError) in try Hello(hello) })
        case .commandAck(let answer):
          .acknowledgement(
            try Check.at("command_ack") { () throws(WireError) in try CommandAcknowledgement(answer)
            })
        case .report(let report):
          .report(try Check.at("report") { () throws(WireError) in try CommandReport(report) })
        case .probeAnswer(let answer):
          .probed(try Check.at("probe_answer") { () throws(WireError) in try ProbeAnswer(answer) })
        case nil:
          throw Check.missing("payload")
        }
      }
    }
  }

  extension AtlasV1.Hello {
    package init(_ hello: Hello) {
      self.init(
        server: hello.server.text, agentVersion: hello.agentVersion, bootID: hello.bootID,
        highestFence: hello.highestFence.number, command: hello.command.map { .init($0) },
        reports: hello.reports.map { .init($0) })
    }
  }

  extension Hello {
    package init(_ wire: AtlasV1.Hello) throws(WireError) {
      self.init(
        server: try Check.name("server", wire.server),
        agentVersion: wire.agentVersion.bounded(to: AgentProtocolLimits.word),
        bootID: try Check.text("boot_id", wire.bootID, limit: AgentProtocolLimits.word),
        highestFence: Fence(wire.highestFence),
        command: try Check.optional("command", wire.command) { status throws(WireError) in
          try CommandStatus(status)
        },
        reports: try Check.list("reports", wire.reports, limit: AgentProtocolLimits.reports) {
          report throws(WireError) in
          try CommandReport(report)
        })
    }
  }

  extension AtlasV1.CommandStatus {
    package init(_ status: CommandStatus) {
      self.init(
        fence: status.fence.number, kind: .init(status.kind), progress: .init(status.progress),
        changed: status.changed)
    }
  }

  extension CommandStatus {
    package init(_ wire: AtlasV1.CommandStatus) throws(WireError) {
      self.init(
        fence: try Check.fence("fence", wire.fence), kind: try CommandKind(wire.kind),
        progress: try CommandProgress(wire.progress), changed: wire.changed)
    }
  }

  extension AtlasV1.CommandAck {
    package init(_ answer: CommandAcknowledgement) {
      self.init(
        fence: answer.fence.number, verdict: .init(answer.verdict), message: answer.message,
        recorded: answer.recorded.map { .init($0) })
    }
  }

  extension CommandAcknowledgement {
    package init(_ wire: AtlasV1.CommandAck) throws(WireError) {
      self.init(
        fence: try Check.fence("fence", wire.fence), verdict: try Verdict(wire.verdict),
        message: wire.message.bounded(),
        recorded: try Check.optional("recorded", wire.recorded) { status throws(WireError) in
          try CommandStatus(status)
        })
    }
  }

  // MARK: - Reports

  extension AtlasV1.CommandReport {
    package init(_ report: CommandReport) {
      let event: Event =
        switch report.event {
        case .progress(let progress):
          .progress(
            .init(
              percent: Int32(clamping: progress.percent), message: progress.message,
              changed: progress.changed))
        case .result(let result): .result(.init(result))
        }
      self.init(
        fence: report.fence.number, seq: report.seq, at: .init(report.at), event: event)
    }
  }

  extension CommandReport {
    /// What an agent reported, in a session or in ``AtlasV1/ReportRequest``.
    /// - Throws: ``WireError`` naming the first field that is missing or wrong.
    package init(_ wire: AtlasV1.CommandReport) throws(WireError) {
      guard wire.seq > 0 else { throw Check.wrong("seq", "counts from 1") }
      self.init(
        fence: try Check.fence("fence", wire.fence), seq: wire.seq,
        at: try Check.instant("at", wire.at),
        event: try Self.event(wire.event))
    }

    private static func event(_ wire: AtlasV1.CommandReport.Event?) throws(WireError) -> Event {
      switch wire {
      case .progress(let progress):
        .progress(
          ProgressReport(
            percent: min(max(Int(progress.percent), 0), 100), message: progress.message.bounded(),
            changed: progress.changed))
      case .result(let result):
        .result(try Check.at("result") { () throws(WireError) in try CommandResult(result) })
      case nil:
        throw Check.missing("event")
      }
    }
  }

  extension AtlasV1.Result {
    package init(_ result: CommandResult) {
      self.init(
        status: .init(result.status), retryable: result.retryable, code: result.code,
        message: result.message, changed: result.changed,
        updates: result.updates.map { .init($0) }, rebootRequired: result.rebootRequired,
        moreUpdates: result.moreUpdates, snapshot: result.snapshot.map { .init($0) },
        health: result.health.map { .init($0) })
    }
  }

  extension CommandResult {
    package init(_ wire: AtlasV1.Result) throws(WireError) {
      self.init(
        status: try Status(wire.status), retryable: wire.retryable,
        code: wire.code.bounded(to: AgentProtocolLimits.word), message: wire.message.bounded(),
        changed: wire.changed,
        updates: try Check.list("updates", wire.updates, limit: Limits.updates) {
          update throws(WireError) in
          try UpdateResult(update)
        },
        rebootRequired: wire.rebootRequired, moreUpdates: wire.moreUpdates,
        snapshot: try Check.optional("snapshot", wire.snapshot) { snapshot throws(WireError) in
          try SnapshotFact(snapshot)
        },
        health: wire.health.map { HealthFact($0) })
    }
  }

  extension AtlasV1.UpdateResult {
    package init(_ result: UpdateResult) {
      self.init(
        update: result.update.text, outcome: .init(result.outcome), code: result.code)
    }
  }

  extension UpdateResult {
    package init(_ wire: AtlasV1.UpdateResult) throws(WireError) {
      self.init(
        update: try Check.name("update", wire.update), outcome: try UpdateOutcome(wire.outcome),
        code: wire.code.bounded(to: AgentProtocolLimits.word))
    }
  }

  extension AtlasV1.SnapshotFact {
    package init(_ snapshot: SnapshotFact) {
      self.init(id: snapshot.id, takenAt: .init(snapshot.takenAt))
    }
  }

  extension SnapshotFact {
    package init(_ wire: AtlasV1.SnapshotFact) throws(WireError) {
      guard !wire.id.isEmpty else { throw Check.missing("id") }
      self.init(
        id: try Check.text("id", wire.id, limit: Limits.message),
        takenAt: try Check.instant("taken_at", wire.takenAt))
    }
  }

  extension AtlasV1.HealthFact {
    package init(_ health: HealthFact) {
      self.init(healthy: health.healthy, problems: health.problems, build: health.build)
    }
  }

  extension HealthFact {
    package init(_ wire: AtlasV1.HealthFact) {
      self.init(
        healthy: wire.healthy,
        problems: wire.problems.prefix(AgentProtocolLimits.problems).map { $0.bounded() },
        build: wire.build.bounded(to: AgentProtocolLimits.word))
    }
  }

  // MARK: - From the daemon

  extension AtlasV1.SessionResponse {
    /// `message`, for the wire.
    package init(_ message: DaemonMessage) {
      switch message {
      case .welcome(let welcome):
        self.init(payload: .welcome(.init(welcome)))
      case .command(let command):
        self.init(payload: .command(.init(command)))
      case .cancel(let fence, let command):
        self.init(
          payload: .cancel(.init(fence: fence.number, commandFence: command.number)))
      case .stop(let fence):
        self.init(payload: .stop(.init(fence: fence.number)))
      case .reportAcknowledgement(let fence, let seq):
        self.init(payload: .reportAck(.init(fence: fence.number, seq: seq)))
      case .probe(let probe):
        self.init(payload: .probe(.init(probe)))
      }
    }
  }

  extension DaemonMessage {
    /// What the daemon sent.
    /// - Throws: ``WireError`` naming the first field that is missing or wrong.
    package init(_ wire: AtlasV1.SessionResponse) throws(WireError) {
      self = try Check.of(AtlasV1.SessionResponse.self) { () throws(WireError) in
        switch wire.payload {
        case .welcome(let welcome):
          .welcome(try Check.at("welcome") { () throws(WireError) in try Welcome(welcome) })
        case .command(let command):
          .command(try Check.at("command") { () throws(WireError) in try Command(command) })
        case .cancel(let cancel):
          .cancel(
            fence: try Check.fence("cancel.fence", cancel.fence),
            command: try Check.fence("cancel.command_fence", cancel.commandFence))
        case .stop(let stop):
          .stop(fence: try Check.fence("stop.fence", stop.fence))
        case .reportAck(let ack):
          .reportAcknowledgement(
            fence: try Check.fence("report_ack.fence", ack.fence), seq: ack.seq)
        case .probe(let probe):
          .probe(try Check.at("probe") { () throws(WireError) in try Probe(probe) })
        case nil:
          throw Check.missing("payload")
        }
      }
    }
  }

  extension AtlasV1.Welcome {
    package init(_ welcome: Welcome) {
      self.init(
        daemonVersion: welcome.daemonVersion,
        clock: .init(
          campaignTime: .init(welcome.campaignTime), factor: Int32(clamping: welcome.demoFactor)),
        checkInterval: .init(welcome.checkInterval), stopFence: welcome.stopFence.number)
    }
  }

  extension Welcome {
    package init(_ wire: AtlasV1.Welcome) throws(WireError) {
      guard let clock = wire.clock else { throw Check.missing("clock") }
      guard clock.factor >= 1 else { throw Check.wrong("clock.factor", "is below 1") }
      guard let interval = wire.checkInterval else { throw Check.missing("check_interval") }
      self.init(
        daemonVersion: wire.daemonVersion.bounded(to: AgentProtocolLimits.word),
        campaignTime: try Check.instant("clock.campaign_time", clock.campaignTime),
        demoFactor: Int(clock.factor), checkInterval: Duration(interval),
        stopFence: Fence(wire.stopFence))
    }
  }

  extension AtlasV1.Command {
    package init(_ command: Command) {
      self.init(
        fence: command.fence.number, kind: .init(command.kind), server: command.server.text,
        campaign: command.campaign.text, runKey: command.runKey,
        attempt: Int32(clamping: command.attempt), pass: Int32(clamping: command.pass),
        notAfter: command.notAfter.map { .init($0) }, updateSet: .init(command.updateSet),
        rollbackMeans: .init(command.rollbackMeans), snapshotID: command.snapshotID,
        afterRollback: command.afterRollback,
        backupTakenAt: command.backupTakenAt.map { .init($0) })
    }
  }

  extension Command {
    package init(_ wire: AtlasV1.Command) throws(WireError) {
      let kind = try CommandKind(wire.kind)
      self.init(
        fence: try Check.fence("fence", wire.fence), kind: kind,
        server: try Check.name("server", wire.server),
        campaign: try Check.name("campaign", wire.campaign),
        runKey: try Check.text("run_key", wire.runKey, limit: Limits.message),
        attempt: Int(wire.attempt),
        pass: Int(wire.pass), notAfter: wire.notAfter.map { Instant($0) },
        updateSet: try Check.optional("update_set", wire.updateSet) { set throws(WireError) in
          try UpdateSet(set)
        } ?? UpdateSet(),
        rollbackMeans: try RollbackMeans(wire.rollbackMeans, neededFor: kind),
        snapshotID: try Check.text("snapshot_id", wire.snapshotID, limit: Limits.message),
        afterRollback: wire.afterRollback, backupTakenAt: wire.backupTakenAt.map { Instant($0) })
    }
  }

  extension AtlasV1.UpdateSet {
    package init(_ set: UpdateSet) {
      self.init(
        include: set.include.map(\.text), exclude: set.exclude.map(\.text),
        required: set.required.map(\.text), cutOff: set.cutOff.map { .init($0) })
    }
  }

  extension UpdateSet {
    /// - Throws: ``WireError`` for a name that is none, or more of them than ``Limits/updates``.
    package init(_ wire: AtlasV1.UpdateSet) throws(WireError) {
      self.init(
        include: try Check.names("include", wire.include),
        exclude: try Check.names("exclude", wire.exclude),
        required: try Check.names("required", wire.required),
        cutOff: wire.cutOff.map { Instant($0) })
    }
  }

  extension GoogleProtobuf.Timestamp {
    /// `instant`, which is campaign time.
    package init(_ instant: Instant) {
      self.init(millisecondsSinceEpoch: instant.milliseconds)
    }
  }

  extension Instant {
    /// `timestamp`, which is campaign time, to the millisecond.
    package init(_ timestamp: GoogleProtobuf.Timestamp) {
      self.init(milliseconds: timestamp.millisecondsSinceEpoch)
    }
  }

  /// What one message of the agent protocol may hold.
  enum AgentProtocolLimits {
    /// Versions, codes, boot ids, builds, in bytes.
    static let word = 64
    /// Reports of one hello; an agent holds two each of at most 32 commands.
    static let reports = 64
    /// Problems of one health check.
    static let problems = 32
  }
#endif

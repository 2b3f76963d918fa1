import AtlasEngine
import AtlasModel
import AtlasStore

/// From effects to a commit, and from a commit to actions.
extension ControlMachine {
  /// Sorts the engine's effects: what must be durable, and what follows once it is.
  mutating func apply(_ effects: [Effect], to batch: inout PendingBatch) {
    for effect in effects {
      switch effect {
      case .record(let record): batch.records.append(record)
      case .save(let item): batch.save(item)
      case .command(_, let addressee, let command):
        let isAstray = Plant.orderToNeighbour.isOn && addressee.index > 0
        let server = isAstray ? ServerID(Int(addressee.index) - 1) : addressee
        outbox.put(command, for: server)
        batch.outboxPuts.append(command.fence)
        batch.releases.append(.deliver(command.fence))
      case .withdraw(let fence):
        if outbox.remove(fence) { batch.outboxRemovals.append(fence) }
      case .cancelCommand(let server, let fence, let command):
        batch.releases.append(.send(server, .cancel(fence: fence, command: command)))
      case .tellStop(let client, let fence):
        batch.releases.append(.sendAll(client, .stop(fence: fence)))
      case .acknowledge(let server, let fence, let seq):
        batch.releases.append(
          .send(server, .reportAcknowledgement(fence: fence, seq: seq)))
      case .startHook(let start): batch.releases.append(.startHook(state.order(start)))
      case .cancelHook(let run, let serial):
        batch.releases.append(.cancelHook(HookTicket(run: run, serial: serial)))
      case .expandWindows(let client, let question):
        let config = state[client: client].config
        batch.releases.append(.expandWindows(client, config, question: question))
      }
    }
  }

  /// Makes the rows of a batch; nil when nothing must be durable.
  mutating func close(_ batch: PendingBatch) -> Batch? {
    guard !batch.isEmpty else { return nil }
    let records = batch.records.map { append($0, at: batch.moment) }
    var commit = Batch(
      records: records, puts: batch.changed.map { StateRows.row($0, in: state) },
      outboxPuts: batch.outboxPuts.compactMap { outbox.row($0) },
      outboxRemovals: batch.outboxRemovals.map(\.number), answers: batch.answers,
      hookRuns: batch.hookRuns,
      meta: StoreMeta(
        fence: state.fence.number, campaignTime: batch.moment.campaign,
        demoFactor: configuration.demoFactor, lastSeq: log.seq, lastHash: log.hash))
    commit.forgetAnswersBefore = answers.forget(now: batch.moment.realMilliseconds)
    return commit
  }

  /// Puts names to a record, chains it to the one before, and counts it.
  private mutating func append(_ record: Record, at moment: Moment) -> LogRecord {
    var row = LogRecord(
      seq: log.seq + 1, campaignTime: moment.campaign,
      realTimeMilliseconds: moment.realMilliseconds, kind: record.kind.rawValue,
      campaign: record.campaign.map { state[campaign: $0].name.text } ?? "",
      client: record.client.map { state[client: $0].config.name.text } ?? "",
      server: record.server.map { state[server: $0].config.name.text } ?? "",
      ring: record.ring.map { Int($0.number) }, run: record.run.map { Int($0) + 1 },
      fromState: record.from?.word ?? "", toState: record.to?.word ?? "",
      phase: record.phase?.word ?? "", attempt: record.attempt.map(Int.init),
      pass: record.pass.map(Int.init), fence: record.fence?.number, detail: record.detail,
      reason: record.reason, principal: record.principal, previousHash: log.hash)
    row.hash = configuration.hash(row.canonicalBytes)
    log = LogPosition(seq: row.seq, hash: row.hash)
    return row
  }

  /// What follows a durable batch, in the order in which it was decided.
  mutating func perform(_ releases: [Release]) -> [ControlAction] {
    var actions: [ControlAction] = []
    for release in releases {
      switch release {
      case .reply(let ticket, let reply): actions.append(.reply(ticket, reply))
      case .deliver(let fence): deliver(fence, &actions)
      case .welcome(let session, let welcome):
        sessions.welcome(session)
        actions.append(.send(session, .welcome(welcome)))
      case .deliverAll(let server):
        for fence in outbox.fences(for: server) { deliver(fence, &actions) }
      case .send(let server, let message):
        if let session = sessions[server], sessions.isWelcomed(session) {
          actions.append(.send(session, message))
        }
      case .sendAll(let client, let message): tell(client, message, &actions)
      case .endSession(let session, let reason):
        actions.append(.endSession(session, reason: reason))
      case .startHook(let order): actions.append(.startHook(order))
      case .cancelHook(let ticket): actions.append(.cancelHook(ticket))
      case .expandWindows(let client, let config, let question):
        let narrowing = state.ownWindows(for: client).map { campaign, windows in
          CampaignWindows(campaign: campaign, windows: windows)
        }
        actions.append(
          .expandWindows(client, config, narrowing: narrowing, question: question))
      }
    }
    return actions
  }

  /// Hands a command to its agent's session, once for each session.
  private mutating func deliver(_ fence: Fence, _ actions: inout [ControlAction]) {
    guard let entry = outbox[fence], let session = sessions[entry.server],
      sessions.isWelcomed(session), entry.sentTo != session
    else { return }
    outbox.markSent(fence, to: session)
    actions.append(.send(session, .command(entry.command)))
    noteSent(entry.server, fence)
  }

  /// The engine must know what an agent may have seen. This is no transition, so that it needs no
  /// commit: after a crash everything in the outbox counts as sent.
  private mutating func noteSent(_ server: ServerID, _ fence: Fence) {
    do {
      let effects = try state.step(.commandSent(server, fence), now: Instant(milliseconds: .min))
      precondition(effects.isEmpty, "handing over a command changes nothing that is stored")
    } catch {
      preconditionFailure("the engine refused what nobody asked for: \(error)")
    }
  }

  private func tell(
    _ client: ClientID?, _ message: DaemonMessage, _ actions: inout [ControlAction]
  ) {
    for (server, session) in sessions.all where sessions.isWelcomed(session) {
      if let client, !state.isConcerned(server, by: client) { continue }
      actions.append(.send(session, message))
    }
  }
}

/// Where the log ends.
struct LogPosition: Sendable {
  var seq: UInt64
  var hash: [UInt8]

  init(seq: UInt64, hash: [UInt8]) {
    self.seq = seq
    self.hash = hash
  }

  init(_ meta: StoreMeta?) {
    seq = meta?.lastSeq ?? 0
    hash = meta?.lastHash ?? LogRecord.genesisHash
  }
}

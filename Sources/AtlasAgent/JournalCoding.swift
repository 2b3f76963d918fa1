import AtlasModel

// The bytes of an entry: a tag, then the fields in the order of their declaration. Tags are never
// used twice; a new field means a new tag.

extension ByteWriter {
  mutating func write(_ entry: JournalEntry) {
    switch entry {
    case .state(let state): tagged(1) { $0.write(state) }
    case .booted(let bootID): tagged(2) { $0.write(bootID) }
    case .accepted(let command): tagged(3) { $0.write(command) }
    case .refused(let fence, let message):
      tagged(4) {
        $0.write(fence)
        $0.write(message)
      }
    case .begun(let fence): tagged(5) { $0.write(fence) }
    case .changed(let fence): tagged(6) { $0.write(fence) }
    case .report(let report): tagged(7) { $0.write(report) }
    case .acknowledged(let fence, let seq):
      tagged(8) {
        $0.write(fence)
        $0.write(UInt64(seq))
      }
    case .cancel(let fence, let command):
      tagged(9) {
        $0.write(fence)
        $0.write(command)
      }
    case .stop(let fence): tagged(10) { $0.write(fence) }
    }
  }

  private mutating func tagged(_ tag: UInt64, _ writeFields: (inout ByteWriter) -> Void) {
    write(tag)
    writeFields(&self)
  }

  private mutating func write(_ fence: Fence) { write(fence.number) }
  private mutating func write(_ instant: Instant) { write(signed: instant.milliseconds) }

  private mutating func write(_ state: JournalState) {
    write(state.bootID)
    write(state.highestFence)
    write(state.stopFence)
    write(state.refusal) {
      $0.write($1.fence)
      $0.write($1.message)
    }
    write(state.cancel) {
      $0.write($1.fence)
      $0.write($1.command)
    }
    write(state.commands) { $0.write($1) }
  }

  private mutating func write(_ command: JournalCommand) {
    write(command.command)
    write(UInt64(command.progress.rawValue))
    write(command.changed)
    write(command.withdrawn)
    write(UInt64(command.lastSeq))
    write(command.reports) { $0.write($1) }
  }

  private mutating func write(_ command: Command) {
    write(command.fence)
    write(UInt64(command.kind.rawValue))
    write(command.server.text)
    write(command.campaign.text)
    write(command.runKey)
    write(command.attempt)
    write(command.pass)
    write(command.notAfter) { $0.write($1) }
    write(command.updateSet.include) { $0.write($1.text) }
    write(command.updateSet.exclude) { $0.write($1.text) }
    write(command.updateSet.required) { $0.write($1.text) }
    write(command.updateSet.cutOff) { $0.write($1) }
    write(command.rollbackMeans.rawValue)
    write(command.snapshotID)
    write(command.afterRollback)
  }

  private mutating func write(_ report: CommandReport) {
    write(report.fence)
    write(UInt64(report.seq))
    write(report.at)
    switch report.event {
    case .progress(let progress):
      write(true)
      write(progress.percent)
      write(progress.message)
      write(progress.changed)
    case .result(let result):
      write(false)
      write(result)
    }
  }

  private mutating func write(_ result: CommandResult) {
    write(UInt64(result.status.rawValue))
    write(result.retryable)
    write(result.code)
    write(result.message)
    write(result.changed)
    write(result.updates) {
      $0.write($1.update.text)
      $0.write(UInt64($1.outcome.rawValue))
      $0.write($1.code)
    }
    write(result.rebootRequired)
    write(result.moreUpdates)
    write(result.snapshot) {
      $0.write($1.id)
      $0.write($1.takenAt)
    }
    write(result.health) {
      $0.write($1.healthy)
      $0.write($1.problems) { $0.write($1) }
      $0.write($1.build)
    }
  }
}

extension ByteReader {
  mutating func entry() throws(ByteError) -> JournalEntry {
    switch try number() {
    case 1: .state(try state())
    case 2: .booted(bootID: try text())
    case 3: .accepted(try command())
    case 4: .refused(try fence(), message: try text())
    case 5: .begun(try fence())
    case 6: .changed(try fence())
    case 7: .report(try report())
    case 8: .acknowledged(try fence(), seq: try seq())
    case 9: .cancel(try fence(), command: try fence())
    case 10: .stop(try fence())
    case _: throw ByteError()
    }
  }

  private mutating func fence() throws(ByteError) -> Fence { Fence(try number()) }
  private mutating func instant() throws(ByteError) -> Instant {
    Instant(milliseconds: try signed())
  }

  private mutating func seq() throws(ByteError) -> UInt32 {
    guard let seq = UInt32(exactly: try number()) else { throw ByteError() }
    return seq
  }

  private mutating func choice<Value: RawRepresentable>(
    _ type: Value.Type
  ) throws(ByteError) -> Value where Value.RawValue == UInt8 {
    guard let raw = UInt8(exactly: try number()), let value = Value(rawValue: raw) else {
      throw ByteError()
    }
    return value
  }

  private mutating func state() throws(ByteError) -> JournalState {
    var state = JournalState()
    state.bootID = try text()
    state.highestFence = try fence()
    state.stopFence = try fence()
    state.refusal = try optional { reader throws(ByteError) in
      JournalRefusal(fence: try reader.fence(), message: try reader.text())
    }
    state.cancel = try optional { reader throws(ByteError) in
      JournalCancel(fence: try reader.fence(), command: try reader.fence())
    }
    state.commands = try list { reader throws(ByteError) in try reader.journalCommand() }
    return state
  }

  private mutating func journalCommand() throws(ByteError) -> JournalCommand {
    JournalCommand(
      try command(), progress: try choice(CommandProgress.self), changed: try flag(),
      withdrawn: try flag(), lastSeq: try seq(),
      reports: try list { reader throws(ByteError) in try reader.report() })
  }

  private mutating func command() throws(ByteError) -> Command {
    Command(
      fence: try fence(), kind: try choice(CommandKind.self),
      server: ServerName(trusted: try text()), campaign: CampaignName(trusted: try text()),
      runKey: try text(), attempt: try int(), pass: try int(),
      notAfter: try optional { reader throws(ByteError) in try reader.instant() },
      updateSet: try updateSet(), rollbackMeans: try rollbackMeans(), snapshotID: try text(),
      afterRollback: try flag())
  }

  private mutating func updateSet() throws(ByteError) -> UpdateSet {
    UpdateSet(
      include: try updateIDs(), exclude: try updateIDs(), required: try updateIDs(),
      cutOff: try optional { reader throws(ByteError) in try reader.instant() })
  }

  private mutating func updateIDs() throws(ByteError) -> [UpdateID] {
    try list { reader throws(ByteError) in UpdateID(trusted: try reader.text()) }
  }

  private mutating func rollbackMeans() throws(ByteError) -> RollbackMeans {
    guard let means = RollbackMeans(rawValue: try text()) else { throw ByteError() }
    return means
  }

  private mutating func report() throws(ByteError) -> CommandReport {
    CommandReport(fence: try fence(), seq: try seq(), at: try instant(), event: try event())
  }

  private mutating func event() throws(ByteError) -> CommandReport.Event {
    if try flag() {
      .progress(
        ProgressReport(percent: try int(), message: try text(), changed: try flag()))
    } else {
      .result(try result())
    }
  }

  private mutating func result() throws(ByteError) -> CommandResult {
    CommandResult(
      status: try choice(CommandResult.Status.self), retryable: try flag(), code: try text(),
      message: try text(), changed: try flag(),
      updates: try list { reader throws(ByteError) in
        UpdateResult(
          update: UpdateID(trusted: try reader.text()),
          outcome: try reader.choice(UpdateOutcome.self), code: try reader.text())
      },
      rebootRequired: try flag(), moreUpdates: try flag(),
      snapshot: try optional { reader throws(ByteError) in
        SnapshotFact(id: try reader.text(), takenAt: try reader.instant())
      },
      health: try optional { reader throws(ByteError) in try reader.health() })
  }

  private mutating func health() throws(ByteError) -> HealthFact {
    HealthFact(
      healthy: try flag(), problems: try list { reader throws(ByteError) in try reader.text() },
      build: try text())
  }
}

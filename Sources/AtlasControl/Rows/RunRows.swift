import AtlasEngine
import AtlasModel

/// A run, as a row.
extension ByteWriter {
  mutating func put(_ run: Run) {
    put(Int(run.server.index))
    put(Int(run.lane))
    put(Int(run.retryOf))
    put(Int(run.order))
    put(run.state)
    put(Int(run.attempt))
    put(Int(run.granted))
    put(Int(run.pass))
    put(UInt64(run.marks.rawValue))
    put(UInt64(run.hookSerial))
    put(UInt64(run.version))
    put(run.command) {
      $0.put($1.fence)
      $0.put($1.kind)
      $0.put($1.delivery)
      $0.put(UInt64($1.lastSeq))
    }
    put(run.startedAt) { $0.put($1) }
    put(run.endedAt) { $0.put($1) }
    put(run.deadline) { $0.put($1) }
    put(Int(run.undoes))
    put(Int(run.edition))
    put(run.details.stored) { $0.put($1) }
  }

  private mutating func put(_ state: RunState) {
    put(state.kind)
    switch state {
    case .pending(let notBefore): put(notBefore) { $0.put($1) }
    case .inProgress(let work): put(work)
    case .parked(let next): put(next)
    case .held(let hold): put(hold)
    case .completed(let completion): put(completion)
    case .failed(let failure): put(failure)
    case .notAttempted(let refused): put(refused)
    case .skipped(let skip): put(skip)
    case .postponed(let until): put(until) { $0.put($1) }
    }
  }

  private mutating func put(_ work: Work) {
    put(work.phase)
    switch work.step {
    case .hook(let point): put("hook \(point.rawValue)")
    case .agent: put("agent")
    case .backoff: put("backoff")
    case .soak: put("soak")
    case .guests: put("guests")
    }
    put(work.ending) { $0.put($1) }
  }

  private mutating func put(_ ending: Ending) {
    switch ending {
    case .completed(let completion):
      put(RunState.Kind.completed)
      put(completion)
    case .failed(let failure):
      put(RunState.Kind.failed)
      put(failure)
    case .notAttempted(let refused):
      put(RunState.Kind.notAttempted)
      put(refused)
    case .skipped(let skip):
      put(RunState.Kind.skipped)
      put(skip)
    case .givenBack: put(RunState.Kind.pending)
    }
  }

  private mutating func put(_ content: RunDetails.Content) {
    put(content.lastError)
    put(content.snapshot) { $0.put($1) }
    put(content.backup) { $0.put($1) }
    put(content.updates) {
      $0.put($1.update)
      $0.put($1.outcome)
      $0.put($1.code)
    }
    put(content.build)
    put(content.deferred)
    put(content.offlineSince) { $0.put($1) }
    put(content.heldIn) { $0.put($1) }
    put(content.heldSince) { $0.put($1) }
    put(content.slotIntervals) { $0.put($1) }
    put(content.care) {
      $0.put($1.owner)
      $0.put($1.deadline) { $0.put($1) }
      $0.put($1.isOverdue)
    }
    put(content.outcomeAt) { $0.put($1) }
    put(content.check) { $0.put($1) }
    put(content.approval) { $0.put($1) }
    put(content.maintenance) {
      $0.put($1.since)
      $0.put($1.expiresAt)
      $0.put(Int($1.tries))
      $0.put($1.remains)
    }
    put(content.kept) {
      $0.put($1.until)
      $0.put($1.removal)
      $0.put(Int($1.tries))
    }
    put(content.undo) { $0.put($1) }
    put(content.clock)
    put(content.formerSnapshot) { $0.put($1) }
    put(content.bases) { $0.put($1) }
    put(content.heldParked)
  }

  private mutating func put(_ backup: BackupFact) {
    put(backup.source)
    put(backup.takenAt)
    put(backup.verifiedAt) { $0.put($1) }
    put(backup.restoreTestedAt) { $0.put($1) }
    put(backup.lastJobAt) { $0.put($1) }
  }

  private mutating func put(_ snapshot: SnapshotFact) {
    put(snapshot.id)
    put(snapshot.takenAt)
  }

  private mutating func put(_ basis: UpdateBasis) {
    put(basis.checkedAt)
    put(basis.maxBackupAge) { $0.put($1) }
    put(basis.backup) { $0.put($1) }
    put(basis.snapshotRequired)
    put(basis.snapshot) { $0.put($1) }
    put(basis.slots)
  }

  private mutating func put(_ undo: Undo) {
    switch undo {
    case .planned(let ref):
      put(0)
      put(ref)
    case .done(let ref):
      put(1)
      put(ref)
    }
  }

  private mutating func put(_ ref: RunRef) {
    put(Int(ref.campaign.index))
    put(Int(ref.index))
  }

  private mutating func put(_ check: AdmissionCheck) {
    switch check {
    case .asking(let point):
      put(0)
      put(point)
    case .ordered(let at):
      put(1)
      put(at)
    case .passed(let at):
      put(2)
      put(at)
    }
  }
}

extension ByteReader {
  mutating func run() throws -> Run {
    let server = ServerID(try int())
    let lane = try int()
    let retryOf = try int()
    var run = Run(server: server, lane: lane, order: try int(), retryOf: retryOf)
    run.restore(state: try runState())
    run.attempt = UInt8(truncatingIfNeeded: try int())
    run.granted = UInt8(truncatingIfNeeded: try int())
    run.pass = UInt8(truncatingIfNeeded: try int())
    run.marks = Run.Marks(rawValue: UInt32(truncatingIfNeeded: try unsigned()))
    run.hookSerial = UInt16(truncatingIfNeeded: try unsigned())
    run.version = UInt32(truncatingIfNeeded: try unsigned())
    run.command = try optional { reader -> ActiveCommand in
      ActiveCommand(
        fence: try reader.fence(), kind: try reader.value(), delivery: try reader.value(),
        lastSeq: UInt32(truncatingIfNeeded: try reader.unsigned()))
    }
    run.startedAt = try optional { try $0.instant() }
    run.endedAt = try optional { try $0.instant() }
    run.deadline = try optional { try $0.instant() }
    if version >= 4 { run.restore(undoes: try int()) }
    if version >= 5 { run.restore(edition: try int()) }
    if try bool() { run.details = RunDetails(try details()) }
    return run
  }

  private mutating func runState() throws -> RunState {
    switch try value(RunState.Kind.self) {
    case .pending: .pending(notBefore: try optional { try $0.instant() })
    case .inProgress: .inProgress(try work())
    case .parked: .parked(next: try value())
    case .held: .held(try value())
    case .completed: .completed(try value())
    case .failed: .failed(try value())
    case .notAttempted: .notAttempted(try value())
    case .skipped: .skipped(try value())
    case .postponed: .postponed(until: version < 3 ? nil : try optional { try $0.instant() })
    }
  }

  private mutating func work() throws -> Work {
    Work(try value(), try step(), ending: try optional { try $0.ending() })
  }

  private mutating func step() throws -> Step {
    let text = try string()
    switch text {
    case "agent": return .agent
    case "backoff": return .backoff
    case "soak": return .soak
    case "guests": return .guests
    case _:
      guard text.hasPrefix("hook "), let point = HookPoint(rawValue: String(text.dropFirst(5)))
      else { throw bad("“\(text)” is not a step") }
      return .hook(point)
    }
  }

  private mutating func ending() throws -> Ending {
    switch try value(RunState.Kind.self) {
    case .completed: .completed(try value())
    case .failed: .failed(try value())
    case .notAttempted: .notAttempted(try value())
    case .skipped: .skipped(try value())
    case .pending: .givenBack
    case .inProgress, .parked, .held, .postponed: throw bad("a run does not end so")
    }
  }

  private mutating func care() throws -> HoldCare {
    var care = HoldCare()
    care.owner = try string()
    care.deadline = try optional { try $0.instant() }
    care.isOverdue = try bool()
    return care
  }

  private mutating func details() throws -> RunDetails.Content {
    var content = RunDetails.Content()
    content.lastError = try string()
    content.snapshot = try optional { try $0.snapshotFact() }
    content.backup = try optional { try $0.backupFact() }
    content.updates = try array { reader -> UpdateResult in
      UpdateResult(
        update: try reader.name(), outcome: try reader.value(), code: try reader.string())
    }
    content.build = try string()
    content.deferred = try duration()
    content.offlineSince = try optional { try $0.instant() }
    content.heldIn = try optional { try $0.work() }
    content.heldSince = try optional { try $0.instant() }
    content.slotIntervals = try array { try $0.interval() }
    if version >= 2 { content.care = try optional { try $0.care() } }
    guard version >= 3 else { return content }
    content.outcomeAt = try optional { try $0.instant() }
    guard version >= 4 else { return content }
    content.check = try optional { try $0.check() }
    content.approval = try optional { try $0.latch() }
    content.maintenance = try optional { reader in
      Maintenance(
        since: try reader.instant(), expiresAt: try reader.instant(),
        tries: UInt8(truncatingIfNeeded: try reader.int()), remains: try reader.bool())
    }
    content.kept = try optional { reader in
      KeptSnapshot(
        until: try reader.instant(), removal: try reader.value(),
        tries: UInt8(truncatingIfNeeded: try reader.int()))
    }
    content.undo = try optional { try $0.undo() }
    content.clock = try clock()
    guard version >= 5 else { return content }
    content.formerSnapshot = try optional { try $0.snapshotFact() }
    guard version >= 6 else { return content }
    content.bases = try array { try $0.basis() }
    guard version >= 7 else { return content }
    content.heldParked = try bool()
    return content
  }

  private mutating func snapshotFact() throws -> SnapshotFact {
    SnapshotFact(id: try string(), takenAt: try instant())
  }

  private mutating func backupFact() throws -> BackupFact {
    BackupFact(
      source: try string(), takenAt: try instant(), verifiedAt: try optional { try $0.instant() },
      restoreTestedAt: try optional { try $0.instant() },
      lastJobAt: version < 2 ? nil : try optional { try $0.instant() })
  }

  private mutating func basis() throws -> UpdateBasis {
    UpdateBasis(
      checkedAt: try instant(), maxBackupAge: try optional { try $0.backupAge() },
      backup: try optional { try $0.backupFact() }, snapshotRequired: try bool(),
      snapshot: try optional { try $0.snapshotFact() }, slots: try int())
  }

  private mutating func undo() throws -> Undo {
    let kind = try int()
    let run = RunRef(campaign: CampaignID(try int()), index: try int())
    switch kind {
    case 0: return .planned(run)
    case 1: return .done(run)
    case _: throw bad("\(kind) is not a way to be undone")
    }
  }

  private mutating func check() throws -> AdmissionCheck {
    let kind = try int()
    switch kind {
    case 0: return .asking(try value())
    case 1: return .ordered(try instant())
    case 2: return .passed(try instant())
    case _: throw bad("\(kind) is not a question at admission")
    }
  }
}

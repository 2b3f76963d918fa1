import AtlasControl
import AtlasEngine
import AtlasFleetImport
import AtlasModel
import AtlasWire

extension AtlasV1.RunState {
  init(_ kind: RunState.Kind) {
    switch kind {
    case .pending: self = .pending
    case .inProgress: self = .inProgress
    case .parked: self = .parked
    case .held: self = .held
    case .completed: self = .completed
    case .failed: self = .failed
    case .notAttempted: self = .notAttempted
    case .skipped: self = .skipped
    case .postponed: self = .postponed
    }
  }

  /// The kind of state; nil for one that is unspecified or not known.
  var kind: RunState.Kind? {
    RunState.Kind.allCases.first { AtlasV1.RunState($0) == self }
  }

  /// From the word that records use; unspecified when empty.
  init(word: String) {
    self = RunState.Kind.allCases.first { $0.word == word }.map(Self.init) ?? .unspecified
  }
}

extension AtlasV1.Phase {
  init(_ phase: Phase) {
    switch phase {
    case .download: self = .download
    case .preCheck: self = .preCheck
    case .snapshot: self = .snapshot
    case .update: self = .update
    case .reboot: self = .reboot
    case .postCheck: self = .postCheck
    case .soak: self = .soak
    case .finalize: self = .finalize
    case .rollback: self = .rollback
    case .verify: self = .verify
    }
  }

  init(word: String) {
    self = Phase.allCases.first { $0.word == word }.map(Self.init) ?? .unspecified
  }
}

extension AtlasV1.RunCounts {
  init(_ counts: Counts, downNow: Int) {
    self.init(
      total: Int32(counts.total), pending: Int32(counts[.pending]),
      inProgress: Int32(counts[.inProgress]), parked: Int32(counts[.parked]),
      held: Int32(counts[.held]), completed: Int32(counts[.completed]),
      failed: Int32(counts[.failed]), notAttempted: Int32(counts[.notAttempted]),
      skipped: Int32(counts[.skipped]), postponed: Int32(counts[.postponed]),
      installedNotRebooted: counts.installedNotRebooted, downNow: Int32(downNow))
  }
}

extension AtlasV1.CampaignState {
  init(_ state: CampaignState) {
    switch state {
    case .draft: self = .draft
    case .active: self = .active
    case .cancelling: self = .cancelling
    case .completed: self = .completed
    case .completedWithFailures: self = .completedWithFailures
    case .cancelled: self = .cancelled
    }
  }
}

extension AtlasV1.Clock {
  init(_ now: Instant, factor: Int) {
    self.init(campaignTime: .init(now), factor: Int32(clamping: factor))
  }
}

extension AtlasV1.Campaign {
  init(_ view: CampaignView) {
    self.init(
      name: view.name.text, author: view.author, state: .init(view.state),
      selection: .init(view.selection), updateSet: .init(view.updateSet),
      settings: AtlasV1.Setting.all(view),
      servers: .init(view.counts, downNow: view.downNow), clients: Int32(view.clients),
      createdAt: .init(view.createdAt), startedAt: view.startedAt.map { .init($0) },
      endedAt: view.endedAt.map { .init($0) }, endsAt: view.endsAt.map { .init($0) },
      flags: view.flags.map { .init($0) }, settled: view.settled, decisions: view.decisions,
      etag: view.etag, clock: .init(view.now, factor: view.demoFactor),
      changeReference: view.changeReference, hookRevision: view.hookRevision,
      heldKinds: view.heldKinds.map { .init($0) },
      rollbackOf: view.rollbackOf?.text ?? "",
      notUndoable: view.notUndoable.map {
        .init(server: $0.server.text, client: $0.client.text, reason: $0.reason)
      })
  }
}

extension AtlasV1.Setting {
  /// Every setting of a campaign, and those that differ for single clients.
  static func all(_ view: CampaignView) -> [AtlasV1.Setting] {
    let defaults = Dictionary(
      uniqueKeysWithValues: PolicyDocument.settings(of: Policy()).map { ($0.key, $0.value) })
    let common = PolicyDocument.settings(of: view.policy)
    let values = Dictionary(uniqueKeysWithValues: common.map { ($0.key, $0.value) })
    var settings = common.map {
      AtlasV1.Setting(key: $0.key, value: $0.value, explicit: defaults[$0.key] != $0.value)
    }
    for override in view.overrides {
      for setting in PolicyDocument.settings(of: override.policy)
      where values[setting.key] != setting.value {
        settings.append(
          AtlasV1.Setting(
            key: setting.key, value: setting.value, client: override.client.text, explicit: true))
      }
    }
    return settings
  }
}

extension AtlasV1.Selection {
  init(_ selection: Selection) {
    self.init(
      clients: selection.clients.map(\.text), rings: selection.rings.map { Int32($0.number) },
      sites: selection.sites.map(\.text), roles: selection.roles.map(\.text),
      servers: selection.servers.map(\.text), tags: selection.tags.map(\.text),
      namePatterns: selection.names.map(\.text), failedIn: selection.failedIn?.text ?? "")
  }
}

extension AtlasV1.HeldKind {
  init(_ view: HeldKindView) {
    self.init(
      role: view.kind.role?.text ?? "", system: view.kind.system, phase: .init(view.phase),
      cause: view.cause, clients: view.clients.map(\.text), waiting: Int32(view.waiting),
      update: view.update?.text ?? "", reason: view.latch.reason,
      since: .init(view.latch.since))
  }
}

extension AtlasV1.MissingKind {
  init(_ view: MissingKindView) {
    self.init(
      role: view.kind.role?.text ?? "", system: view.kind.system, waiting: Int32(view.waiting),
      mayCome: view.mayCome)
  }
}

extension Selection {
  init(_ wire: AtlasV1.Selection) throws(WireStatus) {
    var rings: [Ring] = []
    for ring in wire.rings { rings.append(try Field.ring(ring, "selection.rings")) }
    self.init(
      clients: try Field.names(wire.clients, "selection.clients"), rings: rings,
      sites: try Field.names(wire.sites, "selection.sites"),
      roles: try Field.names(wire.roles, "selection.roles"),
      servers: try Field.names(wire.servers, "selection.servers"),
      tags: try Field.names(wire.tags, "selection.tags"), names: try Self.patterns(wire),
      failedIn: try Field.optionalName(wire.failedIn, "selection.failed_in"))
  }

  private static func patterns(
    _ wire: AtlasV1.Selection
  ) throws(WireStatus) -> [NamePattern] {
    var patterns: [NamePattern] = []
    for text in wire.namePatterns {
      do { patterns.append(try NamePattern(text)) } catch {
        throw WireStatus(invalid: "selection.name_patterns", "\(error)")
      }
    }
    return patterns
  }
}

extension AtlasV1.CampaignFlag {
  init(_ flag: FlagView) {
    self.init(
      kind: flag.kind, scope: flag.scope == "campaign" ? "" : flag.scope,
      reason: flag.latch.reason, principal: flag.latch.principal,
      since: .init(flag.latch.since))
  }
}

extension AtlasV1.RingInfo {
  init(_ view: RingView) {
    self.init(
      ring: Int32(view.ring.number), name: view.name, status: .init(view.status),
      servers: .init(view.counts, downNow: view.downNow), gate: .init(view.gate),
      gateWaitsFor: view.gateWaitsFor, successRate: view.successRate,
      startedAt: view.startedAt.map { .init($0) },
      completedAt: view.completedAt.map { .init($0) }, promoted: view.promoted,
      paused: view.paused)
  }
}

extension AtlasV1.RingStatus {
  init(_ status: RingProgress.Status) {
    switch status {
    case .waiting: self = .waiting
    case .active: self = .active
    case .completed: self = .completed
    }
  }
}

extension AtlasV1.GateStatus {
  init(_ gate: RingProgress.Gate) {
    switch gate {
    case .open: self = .open
    case .closed: self = .closed
    case .needsPerson: self = .needsPerson
    }
  }
}

extension AtlasV1.ServerRun {
  init(_ view: RunView) {
    let run = view.run
    let details = run.details.content
    var notBefore: Instant?
    if case .pending(let instant) = run.state { notBefore = instant }
    self.init(
      campaign: view.campaign.text, server: view.server.text, client: view.client.text,
      site: view.site.text, ring: Int32(view.ring.number), state: .init(run.state.kind),
      detail: run.state.detail, phase: run.state.phase.map { .init($0) } ?? .unspecified,
      attempt: Int32(run.attempt), pass: Int32(run.pass), order: Int32(view.order),
      startedAt: run.startedAt.map { .init($0) }, endedAt: run.endedAt.map { .init($0) },
      waitsFor: view.waitsFor, lastError: details.lastError, locked: view.locked,
      fieldStatus: run.state.fieldStatus, choices: view.choices.map(\.wireWord),
      updates: details.updates.map { .init($0) }, etag: view.etag,
      fence: run.command?.fence.number ?? 0, overdue: run.marks.contains(.overdue),
      rebootPending: run.marks.contains(.rebootPending),
      notBefore: notBefore.map { .init($0) }, retryOf: run.retryOf + 1,
      number: Int32(view.number), snapshotID: details.snapshot?.id ?? "",
      backupSource: details.backup?.source ?? "",
      backupTakenAt: details.backup.map { .init($0.takenAt) },
      holdClass: view.holdClass.map { .init($0) } ?? .unspecified, holdOwner: view.owner,
      holdDeadline: view.holdDeadline.map { .init($0) },
      maintenance: view.maintenance.map { .init($0) },
      snapshot: view.snapshot.map { .init($0) },
      undoneBy: view.isUndone ? view.undoneBy?.text ?? "" : "",
      expected: view.expected.map { .init($0.time) }, late: view.isLate)
  }
}

extension AtlasV1.Snapshot {
  fileprivate init(_ view: SnapshotView) {
    self.init(
      id: view.id, takenAt: .init(view.takenAt), keptUntil: view.keptUntil.map { .init($0) },
      failedRemovals: Int32(clamping: view.failedRemovals), remains: view.remains)
  }
}

extension AtlasV1.Maintenance {
  fileprivate init(_ maintenance: Maintenance) {
    self.init(
      since: .init(maintenance.since), expiresAt: .init(maintenance.expiresAt),
      remains: maintenance.remains)
  }
}

extension AtlasV1.HoldClass {
  fileprivate init(_ holdClass: HoldClass) {
    switch holdClass {
    case .down: self = .down
    case .unverified: self = .upUnverified
    }
  }
}

extension Decision {
  /// The word in `choices`, and on the command line.
  fileprivate var wireWord: String {
    switch self {
    case .retry: "retry"
    case .rollBack: "rollback"
    case .accept: "accept"
    }
  }
}

extension RunState {
  /// The four words of the field's list.
  package var fieldStatus: String {
    switch self {
    case .pending, .notAttempted, .skipped, .postponed: "Pending"
    case .inProgress, .parked, .held(.lost), .held(.overdue), .held(.agentStateLost):
      "InProgress"
    case .held(.unhealthy), .held(.rollbackFailed), .failed: "Failed"
    case .completed: "Completed"
    }
  }
}

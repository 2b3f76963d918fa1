import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasWire

extension AtlasV1.Latch {
  init(_ latch: Latch) {
    self.init(
      reason: latch.reason, principal: latch.principal, since: .init(latch.since),
      until: latch.until.map { .init($0) }, ticket: latch.ticket)
  }
}

extension AtlasV1.Interval {
  init(_ interval: Interval) {
    self.init(start: .init(interval.start), end: .init(interval.end))
  }
}

extension AtlasV1.ClientInfo {
  init(_ view: ClientView) {
    let config = view.config
    self.init(
      name: config.name.text, ring: Int32(config.ring.number), zone: config.zone,
      windows: config.windows.map(\.rule),
      freezes: config.freezes.map { .init($0) },
      maxParallelServers: Int32(config.maxParallelServers), requireBackup: config.requireBackup,
      createSnapshots: config.createSnapshots,
      maxBackupAge: config.maxBackupAge.longest.map { .init($0) },
      priority: Int32(config.priority),
      contacts: config.contacts.map { .init(email: $0.email, language: $0.language) },
      servers: Int32(view.servers), slotsInUse: Int32(view.slotsInUse),
      agentsConnected: Int32(view.agentsConnected), paused: view.paused.map { .init($0) },
      stopped: view.stopped.map { .init($0) }, etag: view.etag,
      requireChangeReference: config.requireChangeReference,
      sinceLastJob: config.maxBackupAge.isOfLastJob, postponed: view.postponed.map { .init($0) },
      darkSince: view.darkSince.map { .init($0) }, occupied: Int32(view.occupied),
      unexplained: view.unexplained.map(\.text), outage: view.outage.map { .init($0) })
  }
}

extension AtlasV1.Outage {
  init(_ outage: Outage) {
    self.init(
      from: .init(outage.from), until: .init(outage.until),
      parallel: outage.parallel.map { Int32($0) }, reason: outage.reason,
      principal: outage.principal, declaredAt: .init(outage.declaredAt))
  }
}

extension AtlasV1.ServerInfo {
  init(_ view: ServerView) {
    let config = view.config
    self.init(
      name: config.name.text, client: config.client.text, site: config.site.text,
      roles: config.roles.map(\.text), number: Int32(config.number),
      updateOrder: config.updateOrder.map { Int32($0) }, system: config.system,
      physical: config.physical, retired: view.retired, locked: view.locked.map { .init($0) },
      agentConnected: view.connected, agentVersion: view.agentVersion,
      campaign: view.campaign?.text ?? "",
      runState: view.runState.map { .init($0) } ?? .unspecified, etag: view.etag,
      resources: config.resources.map(\.text), tags: config.tags.map(\.text),
      unexplained: view.unexplained, dismissed: view.dismissed.map { .init($0) },
      guests: view.guests.map(\.text), after: config.after.map(\.text),
      antiAffinity: config.antiAffinity?.text ?? "", host: config.host?.text ?? "",
      migratesGuests: config.migratesGuests, carriesAtlas: config.carriesAtlas)
  }
}

extension AtlasV1.WindowOpening {
  init(_ opening: WindowOpening) {
    self.init(
      rule: opening.rule, interval: .init(opening.interval),
      opensOffset: Int32(opening.opensOffset), closesOffset: Int32(opening.closesOffset),
      nominal: .init(opening.nominal), opensReading: .init(opening.opensAt),
      closesReading: .init(opening.closesAt), freezes: opening.freezes.map { .init($0) },
      usable: opening.usable.map { .init($0) })
  }
}

extension AtlasV1.ClockReading {
  fileprivate init(_ reading: WindowOpening.ClockReading) {
    switch reading {
    case .once: self = .once
    case .skipped: self = .skipped
    case .twice: self = .twice
    }
  }
}

extension AtlasV1.Freeze {
  fileprivate init(_ freeze: Freeze) {
    self.init(interval: .init(freeze.interval), reason: freeze.reason)
  }
}

extension AtlasV1.Stop {
  init(_ view: StopView) {
    self.init(
      client: view.client?.text ?? "", fence: view.stop.fence.number,
      reason: view.stop.latch.reason, principal: view.stop.latch.principal,
      since: .init(view.stop.latch.since))
  }
}

extension AtlasV1.Metrics {
  init(_ view: MetricsView) {
    self.init(
      campaign: view.campaign?.text ?? "", clock: .init(view.now, factor: view.demoFactor),
      servers: .init(view.counts, downNow: view.downNow),
      activeClients: Int32(view.activeClients), clients: Int32(view.clients),
      elapsed: .init(view.elapsed), estimatedTimeLeft: view.estimatedTimeLeft.map { .init($0) },
      successRate: view.counts.successRate, waitingForPeople: Int32(view.waitingForPeople),
      agentsConnected: Int32(view.agentsConnected), stopped: view.stopped,
      paused: view.paused, settled: view.settled,
      rings: view.rings.map {
        AtlasV1.RingMetrics(
          ring: Int32($0.ring.number), name: $0.name,
          servers: .init($0.counts, downNow: $0.downNow), status: $0.status.word,
          gate: $0.gate.word)
      },
      clientMetrics: view.perClient.map {
        AtlasV1.ClientMetrics(
          client: $0.client.text, ring: Int32($0.ring.number),
          servers: .init($0.counts, downNow: $0.downNow))
      })
  }
}

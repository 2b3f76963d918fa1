import AtlasEngine
import AtlasModel
import AtlasStore

/// Requests: names become numbers, the engine decides, and the answer waits for the commit.
extension ControlMachine {
  mutating func take(
    _ request: ControlRequest, _ ticket: RequestTicket, into batch: inout PendingBatch
  ) {
    let reply: ControlReply
    switch request {
    case .read(let read):
      do {
        let last = log.seq + UInt64(batch.records.count)
        reply = .answer(try answer(read, now: batch.moment.campaign, lastSeq: last))
      } catch {
        reply = .refused(error)
      }
    case .change(let change, let caller): reply = take(change, caller, into: &batch)
    case .recall(let caller): reply = recall(caller) ?? .answer(.done)
    case .loadHooks(let revision, let caller): reply = load(revision, caller, into: &batch)
    case .report(let name, let reports): reply = take(reports, from: name, into: &batch)
    }
    batch.releases.append(.reply(ticket, reply))
  }

  private mutating func take(
    _ reports: [CommandReport], from name: ServerName, into batch: inout PendingBatch
  ) -> ControlReply {
    guard let server = state.server(named: name) else {
      return .refused(.notFound(kind: "server", name: name.text))
    }
    for report in reports { step(.reported(server, report), into: &batch) }
    return .answer(.done)
  }

  private mutating func take(
    _ change: Change, _ caller: Caller, into batch: inout PendingBatch
  ) -> ControlReply {
    if let known = recall(caller) { return known }
    do {
      try demandUnchanged(change)
      let event = try event(change, by: caller.principal, now: batch.moment.campaign)
      let effects = try refusing { () throws(Refusal) in
        try state.step(event, now: batch.moment.campaign)
      }
      apply(effects, to: &batch)
      let answer = try answer(after: change, now: batch.moment.campaign)
      remember(answer, for: caller, in: &batch)
      return .answer(answer)
    } catch {
      return .refused(error)
    }
  }

  private mutating func load(
    _ revision: String, _ caller: Caller, into batch: inout PendingBatch
  ) -> ControlReply {
    if let known = recall(caller) { return known }
    hookRevision = revision
    batch.records.append(
      Record(.hooksLoaded, detail: revision, principal: caller.principal))
    remember(.done, for: caller, in: &batch)
    return .answer(.done)
  }

  /// What a caller gets whose request id is known; nil when it is new.
  private func recall(_ caller: Caller) -> ControlReply? {
    switch answers.lookUp(caller) {
    case .repeated(let bytes): .repeated(bytes)
    case .other: .refused(.requestIDReused(caller.requestID))
    case .new: nil
    }
  }

  /// Turns the engine's refusal into the caller's error.
  private func refusing<Value>(_ body: () throws(Refusal) -> Value) throws(ControlError) -> Value {
    do { return try body() } catch { throw .refused(error) }
  }

  private mutating func remember(
    _ answer: ControlAnswer, for caller: Caller, in batch: inout PendingBatch
  ) {
    guard !caller.requestID.isEmpty else { return }
    let row = AnswerRow(
      principal: caller.principal, method: caller.method, requestID: caller.requestID,
      contentHash: caller.contentHash,
      answer: caller.encodedAnswer ?? configuration.encode(caller.method, answer),
      realTimeMilliseconds: batch.moment.realMilliseconds)
    answers.remember(row)
    batch.answers.append(row)
  }

  /// The engine's event for a change, with names resolved.
  private func event(
    _ change: Change, by: String, now: Instant
  ) throws(ControlError) -> Event {
    switch change {
    case .importFleet(let clients, let servers, let ringNames, _):
      .fleetImported(clients: clients, servers: servers, ringNames: ringNames, by: by)
    case .updateClient(let config, _):
      .fleetImported(clients: [config], servers: [], by: by)
    case .createCampaign(let request): .createCampaign(try draft(request), by: by)
    case .startCampaign(let name, let etag, let plan):
      .startCampaign(
        try campaign(name), ifMatch: try version(etag), hookRevision: hookRevision, plan: plan,
        by: by)
    case .pauseCampaign(let name, let scope, let reason):
      .pauseCampaign(try campaign(name), try self.scope(scope), reason: reason, by: by)
    case .resumeCampaign(let name, let scope, let atOnce):
      .resumeCampaign(try campaign(name), try self.scope(scope), now: atOnce, by: by)
    case .cancelCampaign(let name, let reason):
      .cancelCampaign(try campaign(name), reason: reason, by: by)
    case .editCampaign(let name, let request):
      .editCampaign(try campaign(name), try edit(request), by: by)
    case .promoteRing(let name, let ring, let reason):
      .promoteRing(try campaign(name), ring, reason: reason, by: by)
    case .excludeUpdate(let name, let update, let reason):
      .excludeUpdate(try campaign(name), update, reason: reason, by: by)
    case .releaseSignature(let name, let role, let system, let reason):
      .releaseSignature(
        try campaign(name), ServerKind(role: role, system: system), reason: reason, by: by)
    case .waiveRepresentative(let name, let role, let system, let reason):
      .waiveRepresentative(try campaign(name), role, system: system, reason: reason, by: by)
    case .retryRun(let name, let server, let reason):
      .retryRun(try run(name, server), reason: reason, by: by)
    case .skipRun(let name, let server, let reason):
      .skipRun(try run(name, server), reason: reason, by: by)
    case .claimRun(let name, let server, _): .claimRun(try run(name, server), by: by)
    case .approveRun(let name, let server, let reason):
      .approveRun(try run(name, server), reason: reason, by: by)
    case .resolveRun(let name, let server, let decision, let etag, let reason):
      .resolveRun(
        try run(name, server), decision, version: try runVersion(etag), reason: reason, by: by)
    case .pauseClient(let name, let reason):
      .pauseClient(try client(name), reason: reason, by: by)
    case .resumeClient(let name): .resumeClient(try client(name), by: by)
    case .postponeClient(let name, let until, let reason):
      .postponeClient(try client(name), until: until, reason: reason, by: by)
    case .lockServer(let name, let reason, let until, let ticket):
      .lockServer(
        try server(name),
        Latch(reason: reason, principal: by, since: now, until: until, ticket: ticket))
    case .unlockServer(let name): .unlockServer(try server(name), by: by)
    case .retireServer(let name, let reason):
      .retireServer(try server(name), reason: reason, by: by)
    case .dismissServer(let name, let reason):
      .dismissServer(try server(name), reason: reason, by: by)
    case .recallServer(let name): .recallServer(try server(name), by: by)
    case .declareOutage(let name, let from, let until, let parallel, let reason):
      .declareOutage(
        try client(name),
        Outage(
          from: from ?? now, until: until, parallel: parallel, reason: reason, principal: by,
          declaredAt: now))
    case .endOutage(let name): .endOutage(try client(name), by: by)
    case .stop(let name, let reason): .stop(try name.map(client), reason: reason, by: by)
    case .releaseStop(let name, let reason):
      .releaseStop(try name.map(client), reason: reason, by: by)
    }
  }

  /// A change that was decided on by what somebody saw is refused when that is no longer so.
  private func demandUnchanged(_ change: Change) throws(ControlError) {
    switch change {
    case .importFleet(_, _, _, ifVersion: let version?):
      guard version != state.fleetVersion else { return }
      throw .refused(
        .changed(
          message: "the fleet was changed by another in the meantime",
          hint: "look at the differences again, then import"))
    case .updateClient(let config, let etag):
      guard etag != String(state[client: try client(config.name)].version) else { return }
      throw .refused(
        .changed(
          message: "client \(config.name) has changed since you saw it",
          hint: "look at it again, then decide"))
    case .claimRun(let name, let server, let etag):
      guard try runVersion(etag) != state[try run(name, server)].version else { return }
      throw .refused(
        .changed(
          message: "\(server) has changed since you saw it",
          hint: "look at it again, then claim it"))
    case _: return
    }
  }

  private func draft(_ request: CampaignRequest) throws(ControlError) -> CampaignDraft {
    let overrides = try overrides(request.overrides)
    if let name = request.selection.failedIn { _ = try campaign(name) }
    let original: CampaignID?
    if let name = request.rollbackOf { original = try campaign(name) } else { original = nil }
    return CampaignDraft(
      name: request.name, selection: request.selection, updateSet: request.updateSet,
      policy: request.policy, overrides: overrides, endsAt: request.endsAt,
      changeReference: request.changeReference,
      rollbackOf: original, ownWindows: request.ownWindows)
  }

  private func overrides(
    _ named: [ClientName: Policy]
  ) throws(ControlError) -> [ClientPolicy] {
    var overrides: [ClientPolicy] = []
    for (name, policy) in named.sorted(by: { $0.key < $1.key }) {
      overrides.append(ClientPolicy(client: try client(name), policy: policy))
    }
    return overrides
  }

  private func edit(_ request: PolicyRequest) throws(ControlError) -> CampaignEdit {
    CampaignEdit(
      policy: request.policy, overrides: try overrides(request.overrides),
      endsAt: request.endsAt, ifVersion: request.ifVersion, changes: request.changes,
      reason: request.reason, ownWindows: request.ownWindows)
  }

  private func version(_ etag: String) throws(ControlError) -> UInt64? {
    guard !etag.isEmpty else { return nil }
    guard let version = UInt64(etag) else {
      throw .refused(.invalid(field: "if_match", message: "“\(etag)” is not an etag of a plan"))
    }
    return version
  }

  private func runVersion(_ etag: String) throws(ControlError) -> UInt32 {
    guard let version = UInt32(etag) else {
      throw .refused(
        .invalid(field: "etag", message: "give the etag of the run as you saw it"))
    }
    return version
  }

  func campaign(_ name: CampaignName) throws(ControlError) -> CampaignID {
    try state.id(of: name)
  }

  func client(_ name: ClientName) throws(ControlError) -> ClientID {
    try state.id(of: name)
  }

  func server(_ name: ServerName) throws(ControlError) -> ServerID {
    try state.id(of: name)
  }

  /// The newest run of a server in a campaign.
  func run(_ name: CampaignName, _ server: ServerName) throws(ControlError) -> RunRef {
    guard let newest = try runs(name, server).last else {
      throw .notFound(kind: "run", name: "\(name)/\(server)")
    }
    return newest
  }

  /// All runs of a server in a campaign, oldest first.
  func runs(_ name: CampaignName, _ server: ServerName) throws(ControlError) -> [RunRef] {
    let id = try campaign(name)
    let server = try self.server(server)
    return state[campaign: id].runs.indices.compactMap {
      let ref = RunRef(campaign: id, index: $0)
      return state[ref].server == server ? ref : nil
    }
  }

  func scope(_ request: ScopeRequest) throws(ControlError) -> PauseScope {
    switch request {
    case .all: .all
    case .ring(let ring): .ring(ring)
    case .client(let name): .client(try client(name))
    }
  }
}

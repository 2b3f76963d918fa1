import AtlasEngine
import AtlasModel
import AtlasStore

/// Something that a person did while a campaign ran; the lower bound does it again.
package struct Intervention: Sendable {
  package let at: Instant
  /// In the numbers of the replay, in which the campaign is the only one.
  package let event: Event

  /// Both, in order of time.
  static func merged(_ left: [Intervention], _ right: [Intervention]) -> [Intervention] {
    guard !right.isEmpty else { return left }
    let all = Array((left + right).enumerated())
    return all.sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
  }
}

extension ControlSnapshot {
  /// What a record of the log says that a person did to a campaign, or to what it works on. What
  /// happened before the campaign started holds from its start.
  /// - Returns: nil for a record of something else or of later than the snapshot, and for decisions
  ///   about held runs: how long those took is replayed as it was.
  package func intervention(_ record: LogRecord, in id: CampaignID) -> Intervention? {
    guard let since = state[campaign: id].startedAt, record.campaignTime <= now,
      let kind = RecordKind(rawValue: record.kind), let event = event(kind, record)
    else { return nil }
    return Intervention(at: max(record.campaignTime, since), event: event)
  }

  private func event(_ kind: RecordKind, _ record: LogRecord) -> Event? {
    let replayed = CampaignID(0)
    let by = record.principal
    // A lock that ended by itself has nobody who ended it.
    if kind == .serverUnlocked { return server(record).map { .unlockServer($0, by: by) } }
    if let event = byItself(kind, record) { return event }
    guard !by.isEmpty else { return nil }
    switch kind {
    case .stopLatched: return .stop(client(record), reason: record.reason, by: by)
    case .stopReleased: return .releaseStop(client(record), reason: record.reason, by: by)
    case .campaignPaused:
      return .pauseCampaign(replayed, scope(record), reason: record.reason, by: by)
    case .campaignResumed: return .resumeCampaign(replayed, scope(record), now: false, by: by)
    case .campaignCancelling: return .cancelCampaign(replayed, reason: record.reason, by: by)
    case .ringApproved, .ringPromoted:
      return record.ring.flatMap { Ring($0) }.map {
        .promoteRing(replayed, $0, reason: record.reason, by: by)
      }
    case .clientPaused:
      return client(record).map { .pauseClient($0, reason: record.reason, by: by) }
    // Until when does not matter: its end is replayed, too.
    case .clientPostponed:
      return client(record).map { .pauseClient($0, reason: record.reason, by: by) }
    case .clientOutageDeclared:
      guard let client = client(record) else { return nil }
      return Outage(
        detail: record.detail, reason: record.reason, principal: by,
        declaredAt: record.campaignTime
      ).map { .declareOutage(client, $0) }
    case .clientOutageEnded: return client(record).map { .endOutage($0, by: by) }
    case .clientResumed: return client(record).map { .resumeClient($0, by: by) }
    case .serverLocked:
      let latch = Latch(reason: record.reason, principal: by, since: record.campaignTime)
      return server(record).map { .lockServer($0, latch) }
    case .serverRetired:
      return server(record).map { .retireServer($0, reason: record.reason, by: by) }
    case .runSkipped where record.detail == Skip.person.rawValue:
      return record.run.map {
        .skipRun(RunRef(campaign: replayed, index: $0 - 1), reason: record.reason, by: by)
      }
    case _: return nil
    }
  }

  /// What the engine did, and a replay does not find out for itself.
  private func byItself(_ kind: RecordKind, _ record: LogRecord) -> Event? {
    guard record.principal.isEmpty else { return nil }
    switch kind {
    case .campaignPaused where record.detail == ControlState.breaker:
      return .pauseCampaign(CampaignID(0), .all, reason: record.reason, by: ControlState.itself)
    case .clientResumed:
      return client(record).map { .resumeClient($0, by: ControlState.itself) }
    case _: return nil
    }
  }

  private func client(_ record: LogRecord) -> ClientID? {
    record.client.isEmpty ? nil : state.client(named: ClientName(trusted: record.client))
  }

  private func server(_ record: LogRecord) -> ServerID? {
    record.server.isEmpty ? nil : state.server(named: ServerName(trusted: record.server))
  }

  private func scope(_ record: LogRecord) -> PauseScope {
    if let ring = record.ring.flatMap({ Ring($0) }) { return .ring(ring) }
    return client(record).map { .client($0) } ?? .all
  }
}

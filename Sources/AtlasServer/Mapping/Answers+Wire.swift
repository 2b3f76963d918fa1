import AtlasControl
import AtlasEngine
import AtlasFleetImport
import AtlasWire

/// Responses that carry a campaign.
extension AtlasV1.CreateCampaignResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(campaign: try answer.campaign) }
}

extension AtlasV1.StartCampaignResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(campaign: try answer.campaign) }
}

extension AtlasV1.PauseCampaignResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) {
    self.init(campaign: try answer.campaign, inFlight: answer.inFlight)
  }
}

extension AtlasV1.ResumeCampaignResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(campaign: try answer.campaign) }
}

extension AtlasV1.CancelCampaignResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) {
    self.init(campaign: try answer.campaign, inFlight: answer.inFlight)
  }
}

extension AtlasV1.ExcludeUpdateResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) {
    guard case .campaign(let view, let inFlight) = answer else { throw .wrongAnswer }
    let started = inFlight + view.counts[.completed] + view.counts[.failed]
    self.init(campaign: .init(view), alreadyStarted: Int32(started))
  }
}

extension AtlasV1.EditCampaignResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) {
    guard case .campaign(let view, let inFlight) = answer else { throw .wrongAnswer }
    self.init(
      campaign: .init(view), inFlight: Int32(clamping: inFlight), etag: String(view.version))
  }
}

extension AtlasV1.SettingChange {
  init(_ change: SettingChange) {
    self.init(
      key: change.key, client: change.client?.text ?? "", before: change.before ?? "",
      after: change.after ?? "")
  }
}

extension AtlasV1.ReleaseSignatureResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(campaign: try answer.campaign) }
}

extension AtlasV1.WaiveRepresentativeResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(campaign: try answer.campaign) }
}

extension AtlasV1.PromoteRingResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) {
    guard case .rings(let rings) = answer else { throw .wrongAnswer }
    self.init(rings: rings.map { .init($0) })
  }
}

/// Responses that carry a run.
extension AtlasV1.RetryServerRunResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(run: try answer.run) }
}

extension AtlasV1.SkipServerRunResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(run: try answer.run) }
}

extension AtlasV1.ApproveServerRunResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(run: try answer.run) }
}

extension AtlasV1.ResolveServerRunResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(run: try answer.run) }
}

/// Responses about the fleet.
extension AtlasV1.PauseClientResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(client: try answer.client) }
}

extension AtlasV1.ResumeClientResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(client: try answer.client) }
}

extension AtlasV1.DeclareOutageResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(client: try answer.client) }
}

extension AtlasV1.EndOutageResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(client: try answer.client) }
}

extension AtlasV1.DismissServerResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(server: try answer.server) }
}

extension AtlasV1.RecallServerResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(server: try answer.server) }
}

extension AtlasV1.PostponeClientResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) {
    guard case .postponed(let client, let inFlight) = answer else { throw .wrongAnswer }
    self.init(
      client: .init(client),
      inFlight: inFlight.map {
        .init(
          campaign: $0.campaign.text, server: $0.server.text,
          phase: $0.phase.map { .init($0) } ?? .unspecified, ends: $0.ends.map { .init($0) })
      })
  }
}

extension AtlasV1.LockServerResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(server: try answer.server) }
}

extension AtlasV1.UnlockServerResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(server: try answer.server) }
}

extension AtlasV1.RetireServerResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(server: try answer.server) }
}

extension AtlasV1.UpdateClientResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) { self.init(client: try answer.client) }
}

extension AtlasV1.ImportFleetResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) {
    guard case .done = answer else { throw .wrongAnswer }
    self.init(applied: true)
  }
}

extension AtlasV1.ReloadHooksResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) {
    guard case .done = answer else { throw .wrongAnswer }
    self.init(reloaded: true)
  }
}

/// Responses about stops.
extension AtlasV1.EmergencyStopResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) {
    guard case .stopped(let stop, let inFlight) = answer else { throw .wrongAnswer }
    self.init(stop: .init(stop), inFlight: Int32(inFlight))
  }
}

extension AtlasV1.ReleaseStopResponse: ControlAnswered {
  init(_ answer: ControlAnswer) throws(WireStatus) {
    guard case .released(let stop, let paused) = answer else { throw .wrongAnswer }
    self.init(released: .init(stop), pausedCampaigns: paused.map(\.text))
  }
}

extension ControlAnswer {
  var campaign: AtlasV1.Campaign {
    get throws(WireStatus) {
      guard case .campaign(let view, _) = self else { throw .wrongAnswer }
      return .init(view)
    }
  }

  var inFlight: Int32 {
    if case .campaign(_, let inFlight) = self { Int32(inFlight) } else { 0 }
  }

  var run: AtlasV1.ServerRun {
    get throws(WireStatus) {
      guard case .run(let views) = self, let newest = views.last else { throw .wrongAnswer }
      return .init(newest)
    }
  }

  var client: AtlasV1.ClientInfo {
    get throws(WireStatus) {
      guard case .client(let view) = self else { throw .wrongAnswer }
      return .init(view)
    }
  }

  var server: AtlasV1.ServerInfo {
    get throws(WireStatus) {
      guard case .server(let view) = self else { throw .wrongAnswer }
      return .init(view)
    }
  }
}

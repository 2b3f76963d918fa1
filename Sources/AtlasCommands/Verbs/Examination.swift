import AtlasModel
import AtlasWire
import GRPCCore

/// The checks of `doctor` that need the daemon. One that cannot be made is a finding itself; after a
/// daemon that cannot be reached there are no more.
struct Examination {
  let session: Session

  /// How far the clocks of two machines may be apart before somebody should look.
  private static let clockTolerance = Duration.seconds(5)

  func findings() async throws -> [Finding] {
    let reach = await reachability()
    if reach.status == .unreachable { return [reach] }
    var findings = [reach]
    findings.append(await services())
    for check in [clock, stop, hooks, agents] { findings.append(await check()) }
    findings += await campaigns()
    return findings
  }

  /// The standard health service; a daemon without one is reachable all the same.
  private func reachability() async -> Finding {
    do {
      let response = try await session.retrying(
        within: session.callTimeout, patience: CommandLimits.patienceOfReads
      ) { try await session.daemon.health.check(.init(), metadata: $0, options: $1) }
      if response.status == .serving { return Finding(.ok, "daemon", "serving") }
      return Finding(
        .fail, "daemon", "reachable, but \(response.status.wireName ?? "in an unknown state")",
        next: "look at the daemon's own log")
    } catch let error as RPCError {
      if error.code == .unimplemented {
        return Finding(.warn, "daemon", "reachable; it has no health service")
      }
      return failed("daemon", Failure(error, at: session.site(timeout: session.callTimeout)))
    } catch {
      return Finding(.fail, "daemon", String(describing: error))
    }
  }

  /// Whether the daemon serves everything that this program calls, from its reflection service.
  private func services() async -> Finding {
    let wanted = [
      "atlas.v1.CampaignService", "atlas.v1.FleetService", "atlas.v1.SafetyService",
      "atlas.v1.MetricsService", "atlas.v1.HookService", "atlas.v1.AuditService",
    ]
    do {
      let served = try await servedServices()
      let missing = wanted.filter { !served.contains($0) }
      if missing.isEmpty {
        return Finding(.ok, "version", "atlas \(AtlasVersion.text); the daemon serves all it calls")
      }
      return Finding(
        .warn, "version", "the daemon does not serve \(missing.joined(separator: ", "))",
        next: "bring atlasd to \(AtlasVersion.text), the version of this program")
    } catch {
      return Finding(
        .warn, "version", "atlas \(AtlasVersion.text); the daemon does not list its services")
    }
  }

  private func servedServices() async throws -> Set<String> {
    var options = CallOptions.defaults
    options.timeout = session.callTimeout
    return try await session.daemon.reflection.serverReflectionInfo(
      metadata: session.metadata, options: options
    ) { requests in
      try await requests.write(.init(messageRequest: .listServices("")))
    } receive: { responses in
      for try await response in responses {
        guard case .listServicesResponse(let list)? = response.messageResponse else { continue }
        return Set(list.service.map(\.name))
      }
      return []
    }
  }

  private func clock() async -> Finding {
    await finding("clock") {
      let response = try await session.read(
        session.daemon.metrics.getMetrics, AtlasV1.GetMetricsRequest())
      guard let clock = response.metrics?.clock, let time = clock.campaignTime else {
        return Finding(.warn, "clock", "the daemon does not tell its time")
      }
      let text = TimeText.iso(time)
      if clock.factor > 1 {
        return Finding(
          .warn, "clock", "rehearsal: \(text), \(clock.factor) times as fast as real time")
      }
      let (distance, _) = time.millisecondsSinceEpoch
        .subtractingReportingOverflow(session.console.pacer.wallClock())
      let apart = Duration.milliseconds(distance)
      if apart < .zero - Self.clockTolerance || apart > Self.clockTolerance {
        return Finding(
          .warn, "clock", "\(text), \(apart.shortText) from the clock of this machine",
          next: "compare the time synchronisation of both machines")
      }
      return Finding(.ok, "clock", text)
    }
  }

  private func stop() async -> Finding {
    await finding("stop") {
      let response = try await session.read(
        session.daemon.safety.getStop, AtlasV1.GetStopRequest())
      if response.stops.isEmpty { return Finding(.ok, "stop", "nothing is stopped") }
      let what = response.stops.map { $0.client.isEmpty ? "everything" : "client \($0.client)" }
      return Finding(
        .warn, "stop", "stopped: \(what.joined(separator: ", "))", next: "atlas stop status")
    }
  }

  private func hooks() async -> Finding {
    await finding("hooks") {
      let response: AtlasV1.CheckHooksResponse
      do {
        response = try await session.read(
          session.daemon.hooks.checkHooks, AtlasV1.CheckHooksRequest())
      } catch let failure as Failure where failure.status == .notAllowed {
        // A daemon without hooks is allowed to be one; clients that require backups will not move.
        return Finding(.warn, "hooks", failure.message, next: failure.hint)
      }
      let errors = response.diagnostics.count { !$0.warning }
      let warnings = response.diagnostics.count - errors
      let text = "\(counted(response.files, "file"))"
      if errors > 0 {
        return Finding(
          .fail, "hooks", "\(text), \(counted(errors, "error"))", next: "atlas hook check")
      }
      if warnings > 0 {
        return Finding(
          .warn, "hooks", "\(text), \(counted(warnings, "warning"))", next: "atlas hook check")
      }
      return Finding(.ok, "hooks", "\(text), no errors")
    }
  }

  private func agents() async -> Finding {
    await finding("agents") {
      let response = try await session.readPages(
        session.daemon.fleet.listClients, AtlasV1.ListClientsRequest())
      let census = AgentCensus(response.clients)
      if census.servers == 0 {
        return Finding(.warn, "agents", census.text, next: "atlas fleet import FILE…")
      }
      guard let worst = census.missing.first else { return Finding(.ok, "agents", census.text) }
      return Finding(
        .warn, "agents", census.text, next: "atlas server list --client \(worst.client) --missing")
    }
  }

  /// Campaigns that wait for people, or a word that none does.
  private func campaigns() async -> [Finding] {
    do {
      let response = try await session.readPages(
        session.daemon.campaigns.listCampaigns, AtlasV1.ListCampaignsRequest())
      let running = response.campaigns.filter(\.state.isRunning)
      let waiting = running.filter { $0.settled || ($0.servers?.held ?? 0) > 0 }
      if waiting.isEmpty {
        let count = running.isEmpty ? "none runs" : "\(running.count) running"
        return [Finding(.ok, "campaigns", count)]
      }
      return waiting.map { campaign in
        Finding(
          .warn, "campaigns", "\(campaign.name) waits for people: \(campaign.trouble)",
          next: "atlas campaign runs \(campaign.name) --state held,parked -o wide")
      }
    } catch {
      return [failed("campaigns", error)]
    }
  }

  private func finding(_ check: String, _ body: () async throws -> Finding) async -> Finding {
    do {
      return try await body()
    } catch {
      return failed(check, error)
    }
  }

  private func failed(_ check: String, _ error: any Error) -> Finding {
    guard let failure = error as? Failure else {
      return Finding(.fail, check, String(describing: error))
    }
    let details = failure.details.isEmpty ? "" : " (\(failure.details.joined(separator: "; ")))"
    if failure.isUnserved { return Finding(.warn, check, failure.message) }
    var finding = Finding(.fail, check, failure.message + details, next: failure.hint)
    finding.status = failure.status
    return finding
  }
}

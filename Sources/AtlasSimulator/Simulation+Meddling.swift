import AtlasChecker
import AtlasControl
import AtlasModel

/// In some seeds people meddle at the very moment at which it does most: what they do at any moment
/// seldom meets it.
extension Simulation {
  func meddle(after record: RecordFact) {
    guard isOn(.peopleMeddle), !faultsAreOver else { return }
    let client = ClientName(trusted: record.client)
    switch record.kind {
    case "run.backoff": if meddlingRandom.happens(250) { stopSoon(client) }
    case "run.started":
      if meddlingRandom.happens(20) { soon(.lowersSlots(client)) }
      if afterthoughtRandom.happens(10) { soon(.changesMind(client)) }
      if meddlingRandom.happens(2) {
        let campaign = CampaignName(trusted: record.campaign)
        soon(
          .changes(.cancelCampaign(campaign, reason: "not like this"), method: "CancelCampaign"))
      }
    case _: meddle(duringAbsence: record)
    }
  }

  /// A server is being changed; when that fails once, its window may be closed. When it is a host,
  /// another client whose guests are on it may be stopped.
  func meddle(whileChanging number: Int) {
    guard isOn(.peopleMeddle), !faultsAreOver else { return }
    if let client = foreignGuest(of: number)?.client, afterthoughtRandom.happens(500) {
      stopSoon(client)
    }
    guard machines[number].failedInstalls == 0,
      machines[number].ailments.contains(.installFailsOnce), meddlingRandom.happens(400)
    else { return }
    soon(.closesWindow(machines[number].client))
  }

  /// A guest of the host that belongs to another client.
  private func foreignGuest(of number: Int) -> ServerConfig? {
    let host = machines[number]
    return plan.clients.lazy.flatMap(\.servers).map(\.config)
      .first { $0.host == host.server && $0.client != host.client }
  }

  /// Other windows for a client, and right after that others again, which are closed now: what is
  /// worked out for the first must not count any more.
  func changeMind(of name: ClientName) {
    let open = plan.clients.map(\.weekly).filter { isOpen($0, for: name) }
    guard !open.isEmpty else { return }
    changeWindows(of: name, to: afterthoughtRandom.pick(open))
    after(afterthoughtRandom.milliseconds(0...15), .person(.closesWindow(name)))
  }

  private func soon(_ act: PersonAct) {
    after(meddlingRandom.seconds(1...30), .person(act))
  }

  private func stopSoon(_ client: ClientName) {
    soon(.changes(.stop(client, reason: "not again"), method: "EmergencyStop"))
    let release = Change.releaseStop(client, reason: "looked at")
    after(
      meddlingRandom.minutes(5...120), .person(.changes(release, method: "ReleaseStop")))
    after(
      meddlingRandom.minutes(120...240),
      .person(.changes(.resumeClient(client), method: "ResumeClient")))
  }

  func lowerSlots(of name: ClientName) {
    guard let (known, planned) = clientConfigs[name], known.maxParallelServers > 1 else { return }
    var config = known
    config.maxParallelServers -= 1
    change(name, to: config, planned)
  }
}

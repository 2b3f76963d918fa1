import AtlasModel

/// The oldest agent that a campaign works with (`min_agent_version`).
extension ControlState {
  /// Whether the agent of a run is older than its campaign asks for. An agent that has never
  /// connected is not old, it is not there.
  func isAgentTooOld(_ ref: RunRef) -> Bool {
    guard let least = rules(of: ref).minAgentVersion, !isVirtual else { return false }
    let server = Int(self[ref].server.index)
    guard servers[server].connected || !servers[server].agentVersion.isEmpty else { return false }
    // A version that nobody can read may be any.
    return servers[server].readVersion.map { $0 < least } ?? true
  }

  /// Which version the agent of a run has, and which is asked for; nil when it is new enough.
  package func agentProblem(_ ref: RunRef) -> String? {
    guard isAgentTooOld(ref), let least = rules(of: ref).minAgentVersion else { return nil }
    let version = servers[Int(self[ref].server.index)].agentVersion
    return "its agent is \(version.isEmpty ? "of no version" : version), and at least \(least) is "
      + "asked for"
  }

  /// What a pending run waits for, in words; empty for a run that is not pending.
  package func waitsText(_ ref: RunRef, now: Instant) -> String {
    guard let waiting = waits(ref, now: now) else { return "" }
    let problem: String?
    switch waiting {
    case .agentTooOld: problem = agentProblem(ref)
    case .unexplained(let server): problem = doubt(about: server, in: ref.campaign, now: now)
    case .outage(let client): problem = "client \(clients[Int(client.index)].config.name)"
    case .after(let server), .group(let server), .host(let server), .guest(let server),
      .alone(let server):
      problem = servers[Int(server.index)].config.name.text
    case _: problem = nil
    }
    return problem.map { "\(waiting.text): \($0)" } ?? waiting.text
  }
}

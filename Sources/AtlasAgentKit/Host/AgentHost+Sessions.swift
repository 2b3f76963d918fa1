import AtlasAgent
import AtlasModel

// The sessions: one per agent, opened again with a back-off.

extension AgentHost {
  func connectIfPossible(_ agent: Int) {
    let state = agents[agent]
    guard state.machine != nil, state.isNetworkUp, state.link == nil, !state.isBackingOff else {
      return
    }
    agents[agent].generation &+= 1
    agents[agent].openedAt = nil
    let link = SessionLink(agent: agent, generation: agents[agent].generation)
    agents[agent].link = link
    open(link)
  }

  func session(_ agent: Int, _ generation: UInt32, _ event: SessionEvent) throws {
    guard agents[agent].generation == generation, agents[agent].link != nil else { return }
    switch event {
    case .opened: try opened(agent)
    case .message(let message): try received(message, agent)
    case .ended(let reason): try ended(agent, reason: reason)
    }
  }

  private func opened(_ agent: Int) throws {
    statistics.sessions += 1
    agents[agent].openedAt = moment.monotonic
    timers.add(
      .welcome(agent: agent, generation: agents[agent].generation),
      at: moment.monotonic + KitLimits.welcome)
    try step(agent, .sessionOpened)
  }

  private func received(_ message: DaemonMessage, _ agent: Int) throws {
    statistics.messagesIn += 1
    if case .welcome(let welcome) = message, !agents[agent].isWelcomed {
      setClock(welcome)
      agents[agent].isWelcomed = true
      statistics.live += 1
      try observe(agent, .welcomed(welcome))
    }
    try step(agent, .message(message))
  }

  /// The session is over, by the daemon or the network.
  private func ended(_ agent: Int, reason: String) throws {
    let lifetime = agents[agent].openedAt.map { $0.duration(to: moment.monotonic) }
    try forgetSession(agent, reason: reason)
    agents[agent].isBackingOff = true
    let wait = agents[agent].backoff.next(after: lifetime)
    timers.add(.connect(agent: agent), at: moment.monotonic + wait)
  }

  /// Breaks the session from this side. The next one, when it is possible again, waits only if the
  /// daemon is at fault.
  func breakSession(_ agent: Int, reason: String? = nil) throws {
    guard let link = agents[agent].link else { return }
    link.abort()
    if let reason { return try ended(agent, reason: reason) }
    try forgetSession(agent, reason: "broken by the server")
  }

  private func forgetSession(_ agent: Int, reason: String) throws {
    agents[agent].link = nil
    agents[agent].generation &+= 1
    if agents[agent].isWelcomed {
      agents[agent].isWelcomed = false
      statistics.live -= 1
    }
    try step(agent, .sessionClosed)
    try observe(agent, .sessionEnded(reason: reason))
  }
}

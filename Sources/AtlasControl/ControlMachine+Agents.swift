import AtlasEngine
import AtlasModel

/// Agents' sessions: a newer one of a server ends the older.
extension ControlMachine {
  mutating func open(_ session: SessionID, _ hello: Hello, into batch: inout PendingBatch) {
    guard let server = state.server(named: hello.server) else {
      batch.releases.append(
        .endSession(session, reason: "\(hello.server) is not in the fleet; import it first"))
      return
    }
    if let doubt = state.doubt(about: hello) {
      // The engine notes it; a session that the server has already goes on.
      step(.agentBack(server, hello), into: &batch)
      batch.releases.append(.endSession(session, reason: doubt))
      return
    }
    if let older = sessions[server] {
      let reason = "a newer session of \(hello.server) has begun"
      batch.releases.append(.endSession(older, reason: reason))
      sessions.remove(older)
    }
    sessions.add(session, server)
    // An agent hears nothing before its welcome: not even what its own Hello brings about.
    // The welcome says which orders are void, and that is decided with the Hello.
    let place = batch.releases.count
    step(.agentBack(server, hello), into: &batch)
    batch.releases.insert(.welcome(session, welcome(server, at: batch.moment)), at: place)
    batch.releases.append(.deliverAll(server))
  }

  private func welcome(_ server: ServerID, at moment: Moment) -> Welcome {
    Welcome(
      daemonVersion: configuration.daemonVersion, campaignTime: moment.campaign,
      demoFactor: configuration.demoFactor, checkInterval: configuration.checkInterval,
      stopFence: Plant.welcomeWithoutStop.isOn ? .none : state.welcomeFence(for: server))
  }

  mutating func take(
    _ message: AgentMessage, from session: SessionID, into batch: inout PendingBatch
  ) {
    // What comes from a session that a newer one has ended is not lost: the agent keeps its
    // reports until they are acknowledged, and says them again.
    guard let server = sessions.server(of: session) else { return }
    switch message {
    case .hello:
      batch.releases.append(.endSession(session, reason: "Hello comes once, and first"))
    case .acknowledgement(let answer):
      // Another server's order stays in the outbox, whatever this agent says about it.
      if let order = outbox[answer.fence], order.server != server {
        let reason = "fence \(answer.fence.number) is an order to another server"
        return batch.releases.append(.endSession(session, reason: reason))
      }
      step(.acknowledged(server, answer), into: &batch)
    case .report(let report): step(.reported(server, report), into: &batch)
    // Whoever asked has it from the shell; nothing here depends on it.
    case .probed: break
    }
  }

  mutating func close(_ session: SessionID, into batch: inout PendingBatch) {
    guard let server = sessions.server(of: session) else { return }
    sessions.remove(session)
    step(.agentSilent(server), into: &batch)
  }
}

/// Which agent is connected through which session.
struct SessionTable: Sendable {
  /// By number of the server; looked through in that order, so that the same inputs give the same
  /// actions.
  private var byServer: [SessionID?] = []
  /// Only looked up, never iterated.
  private var servers: [SessionID: ServerID] = [:]
  private var welcomed: Set<SessionID> = []

  subscript(server: ServerID) -> SessionID? {
    let index = Int(server.index)
    return byServer.indices.contains(index) ? byServer[index] : nil
  }

  func server(of session: SessionID) -> ServerID? { servers[session] }
  func isWelcomed(_ session: SessionID) -> Bool { welcomed.contains(session) }

  mutating func add(_ session: SessionID, _ server: ServerID) {
    let index = Int(server.index)
    while byServer.count <= index { byServer.append(nil) }
    byServer[index] = session
    servers[session] = server
  }

  mutating func welcome(_ session: SessionID) {
    if servers[session] != nil { welcomed.insert(session) }
  }

  mutating func remove(_ session: SessionID) {
    guard let server = servers.removeValue(forKey: session) else { return }
    welcomed.remove(session)
    if byServer[Int(server.index)] == session { byServer[Int(server.index)] = nil }
  }

  /// All sessions, by number of their servers.
  var all: some Sequence<(ServerID, SessionID)> {
    byServer.indices.lazy.compactMap { index in
      byServer[index].map { (ServerID(index), $0) }
    }
  }
}

import AtlasAgent
import AtlasModel

/// What an agent works on: a real server, or a simulated one. Synchronous; what takes time comes
/// back as a wake or from outside.
package protocol ServerDriver: SendableMetatype {
  /// What it asks to be woken for.
  associatedtype Wake: Sendable
  /// What it wants written down, and where is the host's owner's business.
  associatedtype Note

  var server: ServerName { get }
  /// Changes with every boot of the server.
  var bootID: String { get }
  /// The network is there at the start.
  var isConnected: Bool { get }

  mutating func handle(
    _ event: DriverEvent<Wake>, now: Instant
  ) -> [DriverAction<Wake, Note>]
}

/// From an agent's machine, or from the host, to the server it works on.
package enum DriverEvent<Wake: Sendable>: Sendable {
  case start(Command)
  case resume(Command, changed: Bool, after: Interruption)
  case permitChange(Fence)
  case cancel(Fence)
  /// Look, and change nothing; the answer is ``AgentInput/driverProbed(_:_:)``.
  indirect case probe(Probe)
  case wake(Wake)
}

extension DriverEvent: Equatable where Wake: Equatable {}

/// What a driver wants, in order.
package enum DriverAction<Wake: Sendable, Note> {
  /// For the agent's machine.
  case tell(AgentInput)
  /// Wake it after this much campaign time.
  case wake(Wake, after: Duration)
  case note(Note)
  /// The agent's session breaks and no new one is possible, until the network is back.
  case networkDown
  case networkUp
  /// The agent's process ends; only its journal survives.
  case agentDown
  case agentUp
}

extension DriverAction: Equatable where Wake: Equatable, Note: Equatable {}
extension DriverAction: Sendable where Note: Sendable {}

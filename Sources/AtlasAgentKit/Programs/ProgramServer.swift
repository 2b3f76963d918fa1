import AtlasAgent
import AtlasModel
import Dispatch

/// The server that an agent runs on. What commands do is the business of programs that its owner
/// configures, one for a kind of command.
///
/// A program gets the command on its standard input, one line of proto3 JSON of
/// `atlas.v1.Command`, and answers on its standard output with lines of JSON, each an object with
/// one member:
///
/// | line | meaning |
/// |---|---|
/// | `{"progress": {…}}` | `atlas.v1.Progress`: it goes on |
/// | `{"will_change": true}` | it wants to change the server for the first time, and waits for the line `go` on its standard input |
/// | `{"result": {…}}` | `atlas.v1.Result`: how it ended; once, and last |
///
/// When the agent's process ends before the program is known to have ended, the program is started
/// again with `ATLAS_RESUME` set to `agent_restarted`, `ordered_boot` (a REBOOT has happened) or
/// `unexpected_boot`, and `ATLAS_CHANGED` to `1` if it had been told to go on: it finds out what is
/// true and finishes, and never begins again. A program that ends without a result has failed.
///
/// A probe is another program's business, or ours: see ``ProbeProgram``.
package struct ProgramServer: ServerDriver {
  /// Never: programs take their own time.
  package enum Wake: Sendable {}

  package enum Note: Sendable {
    case began(Command)
    case resumed(Command, after: Interruption)
    /// There is no program for it, or it could not be started.
    case refused(Command, CommandResult)
  }

  package let server: ServerName
  package let bootID: String
  package var isConnected: Bool { true }
  private let programs: [CommandKind: [String]]
  private let launch: @Sendable (Launch, @escaping @Sendable (AgentInput) -> Void) throws -> Program
  private let deliver: @Sendable (AgentInput) -> Void
  /// Looks at the server for a probe; nil: what every system has is looked at.
  private let prober: [String]?
  private var running: (command: Command, program: Program)?

  /// - Parameter deliver: Takes what a program says, from its own thread.
  package init(
    server: ServerName, bootID: String, programs: [CommandKind: [String]],
    prober: [String]? = nil, deliver: @escaping @Sendable (AgentInput) -> Void
  ) {
    self.server = server
    self.bootID = bootID
    self.programs = programs
    self.prober = prober
    self.deliver = deliver
    launch = { try Program($0, deliver: $1) }
  }

  package mutating func handle(
    _ event: DriverEvent<Wake>, now: Instant
  ) -> [DriverAction<Wake, Note>] {
    switch event {
    case .start(let command):
      return [.note(.began(command))] + begin(command, Launch.Resume?.none)
    case .resume(let command, let changed, let interruption):
      let resume = Launch.Resume(after: interruption, changed: changed)
      return [.note(.resumed(command, after: interruption))] + begin(command, resume)
    case .permitChange(let fence):
      if let running, running.command.fence == fence { running.program.permitChange() }
    case .cancel(let fence):
      if let running, running.command.fence == fence { running.program.cancel() }
    case .probe(let probe):
      look(probe)
    case .wake(let never):
      switch never {}
    }
    return []
  }

  /// Elsewhere, because looking takes its time; what is lacking for a run is told by ourselves.
  private func look(_ probe: Probe) {
    let refusals = CommandKind.allCases.filter { programs[$0] == nil }.map {
      ExpectedRefusal(kind: $0, reason: "no program for \($0.word) is configured")
    }
    DispatchQueue(label: "atlas.probe").async { [prober, deliver] in
      var facts = prober.map { ProbeProgram.facts($0, probe) } ?? .ofEverySystem()
      facts.refusals += refusals
      deliver(.driverProbed(probe.number, facts))
    }
  }

  private mutating func begin(
    _ command: Command, _ resume: Launch.Resume?
  ) -> [DriverAction<Wake, Note>] {
    guard let arguments = programs[command.kind] else {
      return refuse(command, "E_NO_PROGRAM", "no program for \(command.kind.word) is configured")
    }
    do {
      let launch = Launch(arguments: arguments, command: command, resume: resume)
      running = (command, try self.launch(launch, deliver))
      return []
    } catch {
      return refuse(command, "E_PROGRAM", "\(arguments[0]): \(error)")
    }
  }

  private func refuse(
    _ command: Command, _ code: String, _ message: String
  ) -> [DriverAction<Wake, Note>] {
    let result = CommandResult(status: .refused, code: code, message: message)
    return [.note(.refused(command, result)), .tell(.driverFinished(command.fence, result))]
  }
}

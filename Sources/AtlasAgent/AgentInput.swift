import AtlasModel

/// What happens to an agent.
package enum AgentInput: Hashable, Sendable {
  /// The process has started and has read its journal. A boot id other than the journal's means
  /// that the server has booted since: by a REBOOT in progress, or unexpectedly.
  case started(bootID: String)
  /// A session to the daemon is open; nothing was sent in it.
  case sessionOpened
  case sessionClosed
  case message(DaemonMessage)
  /// Every entry up to this number is on disk and survives a power cut.
  case journalWritten(UInt64)
  /// The driver asks before it changes the server for the first time, and waits for
  /// ``AgentAction/permitChange(_:)``.
  case driverWillChange(Fence)
  case driverProgress(Fence, ProgressReport)
  case driverFinished(Fence, CommandResult)
  /// What the driver found, for the probe with this number.
  indirect case driverProbed(UInt64, ServerFacts)
}

/// What the shell around the machine has to do, in the given order.
package enum AgentAction: Hashable, Sendable {
  /// Append the entry. Once it is on disk, answer ``AgentInput/journalWritten(_:)`` with its
  /// number. Numbers count up by one. An entry that ``JournalEntry/mayWait`` needs no answer.
  case journal(JournalEntry, number: UInt64)
  case send(AgentMessage)
  /// Carry the command out. Given once for a fence, in the life of a journal.
  case startDriver(Command)
  /// The command had begun when the agent's process ended: find out what is true, and go on or
  /// finish it. Never start it from the beginning under this fence.
  case resumeDriver(Command, changed: Bool, after: Interruption)
  /// The journal says `changed`: the first install may begin.
  case permitChange(Fence)
  /// Stop what can be stopped (a download) and finish with ``CommandResult/Status/cancelled``.
  case cancelDriver(Fence)
  /// Look at the server, change nothing, and answer with ``AgentInput/driverProbed(_:_:)``.
  indirect case probe(Probe)
  case endSession(SessionFault)
}

/// Why a command that had begun has to be looked at again.
package enum Interruption: UInt8, CaseIterable, Hashable, Sendable {
  /// The agent's process ended and started again; the server did not boot.
  case agentRestarted
  /// The server booted, and the command is the REBOOT that ordered it.
  case orderedBoot
  /// The server booted in the middle of something else.
  case unexpectedBoot
}

/// What the daemon did that ends the session; the agent opens a new one.
package enum SessionFault: UInt8, CaseIterable, Error, Hashable, Sendable, CustomStringConvertible {
  case messageBeforeWelcome
  case secondWelcome

  package var description: String {
    switch self {
    case .messageBeforeWelcome: "the daemon sent a message before its welcome"
    case .secondWelcome: "the daemon sent a second welcome"
    }
  }
}

import AtlasEngine
import AtlasModel
import AtlasStore

/// Something the shell tells the control machine.
package enum ControlInput: Sendable {
  /// A request; its answer comes as ``ControlAction/reply(_:_:)`` with the same ticket.
  case request(RequestTicket, ControlRequest)
  /// An agent's session began with this hello.
  case sessionOpened(SessionID, Hello)
  case agentMessage(SessionID, AgentMessage)
  case sessionClosed(SessionID)
  /// A hook that ``ControlAction/startHook(_:)`` asked for has ended.
  case hookFinished(HookTicket, HookVerdict, HookRunRow?)
  /// The answer to ``ControlAction/expandWindows(_:_:narrowing:question:)``, with its number.
  case windowsExpanded(
    ClientID, [Interval], narrowed: [NarrowedWindows] = [], until: Instant, question: UInt32)
  /// The revision of the hooks that campaigns started from now on pin.
  case hooksLoaded(revision: String)
  /// The instant of ``ControlAction/armTimer(_:)`` has come.
  case timerFired
  /// The batch of the last ``ControlAction/commit(_:)`` is durable.
  case committed
  /// It is not, or nobody knows: the process must end and recover.
  case commitFailed(StoreError)
}

/// Both clocks at the moment of an input.
package struct Moment: Hashable, Sendable {
  /// Campaign time: all decisions are made on it.
  package var campaign: Instant
  /// The machine's clock, in milliseconds since the Unix epoch: for records and lifetimes.
  package var realMilliseconds: Int64

  package init(campaign: Instant, realMilliseconds: Int64) {
    self.campaign = campaign
    self.realMilliseconds = realMilliseconds
  }
}

/// Which waiting caller an answer is for; drawn by the shell, never used twice.
package struct RequestTicket: Hashable, Sendable {
  package let number: UInt64
  package init(_ number: UInt64) { self.number = number }
}

/// One connection of one agent; drawn by the shell, never used twice.
package struct SessionID: Hashable, Sendable {
  package let number: UInt64
  package init(_ number: UInt64) { self.number = number }
}

/// Which start of a hook an end belongs to.
package struct HookTicket: Hashable, Sendable {
  package let run: RunRef
  package let serial: UInt16

  package init(run: RunRef, serial: UInt16) {
    self.run = run
    self.serial = serial
  }
}

/// A hook function that is to run, with all that it may know.
package struct HookOrder: Hashable, Sendable {
  package var ticket: HookTicket
  package var point: HookPoint
  /// `run.key`: names snapshots; the same for every attempt of a run. `rollback` and `finalize` of a
  /// rollback campaign get the key of the run that is undone: that is what its snapshot is named by.
  package var key: String
  package var client: ClientName
  package var site: SiteName
  package var server: ServerName
  package var roles: [Role]
  package var ring: Ring
  package var campaign: CampaignName
  package var attempt: Int
  package var pass: Int
  package var phase: Phase
  package var deadline: Instant
  /// It may have run before, in part.
  package var restarted: Bool
  /// The run is on its way back.
  package var rollback: Bool
  package var updates: [UpdateResult]
  package var snapshotID: String
  /// The server's group, and the other servers of it; nil and none for a server without one.
  package var group: GroupName?
  package var peers: [ServerName]
  /// For the hooks of maintenance: when it is to end by itself at the latest.
  package var expires: Instant?
  /// The revision that the campaign pinned.
  package var revision: String
}

/// A campaign's own windows.
package struct CampaignWindows: Hashable, Sendable {
  package let campaign: CampaignID
  package let windows: MaintenanceWindow
}

/// Something the control machine wants done. Actions are carried out in order.
package enum ControlAction: Sendable {
  /// Make this durable, then say ``ControlInput/committed``. There is never more than one.
  case commit(Batch)
  case reply(RequestTicket, ControlReply)
  case send(SessionID, DaemonMessage)
  /// End a session, with the reason for its agent.
  case endSession(SessionID, reason: String)
  case startHook(HookOrder)
  case cancelHook(HookTicket)
  /// Say when the client may be worked on, for the next 14 days and more, and when campaigns with
  /// windows of their own may.
  case expandWindows(
    ClientID, ClientConfig, narrowing: [CampaignWindows], question: UInt32)
  /// Say ``ControlInput/timerFired`` at this instant, and forget the one before; nil: never.
  case armTimer(Instant?)
  /// The log has grown to this position.
  case logGrew(UInt64)
  /// Nothing can be trusted any more: end the process and recover.
  case halt(String)

  var isReply: Bool { if case .reply = self { true } else { false } }
}

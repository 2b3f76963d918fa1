/// The bounds of the whole system, in one place, each with its reason.
///
/// Bounds of one boundary (the wire, the hook runtime) live with that boundary.
package enum Limits {
  /// A thousand customer companies is the mission; ten times that leaves room.
  package static let clients = 10_000
  /// Servers in the fleet: the planner is measured at this size.
  package static let servers = 1_000_000
  /// Servers of one client: its lane is scanned at admission, so it must stay small.
  package static let serversPerClient = 5_000
  /// Slots of one client.
  package static let slotsPerClient = 100
  /// Campaigns kept in the daemon's memory, drafts and finished ones included.
  package static let campaigns = 10_000
  /// Times that people may edit the policy of a campaign: each is kept with it.
  package static let policyEdits = 64
  /// The longest that a campaign may be said to last: a later end has a year that was mistyped.
  package static let campaignLength = Duration.seconds(366 * 86_400)
  /// 2000-01-01: no update that is still published is older.
  package static let oldestCutOff = Instant(milliseconds: 946_684_800_000)
  /// How far ahead the date may be after which nothing counts: no campaign lasts longer.
  package static let cutOffAhead = campaignLength
  /// Windows of one client; more are a mistake of a generator.
  package static let windowsPerClient = 64
  /// Freezes of one client.
  package static let freezesPerClient = 256
  /// The name of a ring, in bytes: it heads a column.
  package static let ringName = 64
  /// Roles of one server.
  package static let rolesPerServer = 16
  /// Shared things that one server uses.
  package static let resourcesPerServer = 8
  /// Patterns of names in a selection: each is tried on every server of the fleet.
  package static let namePatterns = 64
  /// Names that one which is not known is compared with, for “did you mean”: a microsecond each, and
  /// everybody waits meanwhile.
  package static let namesCompared = 20_000
  /// Tags of one server.
  package static let tagsPerServer = 16
  /// Shared things that one campaign limits.
  package static let resources = 256
  /// Servers attempted last that a campaign's breaker may look at.
  package static let breakerSample = 1_000
  /// Ways to fail that a campaign keeps in mind; the one not seen for the longest time goes first.
  package static let signatures = 256
  /// Roles and systems that are held in a campaign at once, and waivers of a representative.
  package static let heldSignatures = 256
  /// Clients kept for one way to fail.
  package static let signatureClients = 100
  /// A cause of failures in a signature, in bytes: enough to tell one from another.
  package static let signatureCause = 120
  /// Refusals for a source that are kept in mind; more clients than that are never asked for.
  package static let sourceFaults = 256
  /// Refusals for a source that are further apart are not one episode.
  package static let sourceEpisode = Duration.seconds(3_600)
  /// Before the first server tries a source again that did not answer; doubles up to
  /// ``sourceBackoffLongest``.
  package static let sourceBackoff = Duration.seconds(300)
  /// Half an hour of a night may be lost to the wait, not more.
  package static let sourceBackoffLongest = Duration.seconds(1_800)
  /// Sessions that end within this time may have ended for one reason.
  package static let contactWindow = Duration.seconds(120)
  /// Sessions that must end before it may be more than bad luck, in the whole fleet.
  package static let contactDrops = 5
  /// The same for one client. One server alone is a server that crashed.
  package static let clientDrops = 2
  /// Ends of sessions that are kept in mind; a fleet that flaps faster is dropping anyway.
  package static let recentDrops = 100_000
  /// No environment hold for lost contact lasts longer: whoever is not back then is lost.
  package static let contactHold = Duration.seconds(3_600)
  /// Servers that one server comes after.
  package static let predecessors = 64
  /// How long what a hook said at admission counts: a slot that it waits for may come in between.
  package static let checkValidity = Duration.seconds(60)
  /// How often `leave_maintenance` is called before its failure is a matter for people.
  package static let leaveTries: UInt8 = 3
  /// The wait before it is called again; doubles.
  package static let leaveWait = Duration.seconds(60)
  /// How long maintenance may outlast its run's window before it ends by itself.
  package static let maintenanceMargin = Duration.seconds(3_600)
  /// Snapshots that one server keeps at once: a long chain of them slows it down. One more is removed
  /// before its run ends.
  package static let snapshotsPerServer = 8
  /// The wait before a kept snapshot is removed again after that failed; doubles.
  package static let removalWait = Duration.seconds(300)
  /// An hour more of a snapshot that is to go costs little, and nobody is asked about it.
  package static let removalWaitLongest = Duration.seconds(3_600)
  /// Contacts of one client.
  package static let contactsPerClient = 32
  /// Times one run may take its slot that are kept for the report.
  package static let slotIntervals = 32
  /// Times one run may be found fit to be changed that are kept for evidence; attempts that follow
  /// a failure are found fit together with the first.
  package static let updateBases = 16
  /// Kinds of servers (a role and a system) of which it is kept how long their phases took; those
  /// that come later go by the policy's estimates. Each takes up to 4 KB.
  package static let measuredKinds = 1_000
  /// Times of each phase that a kind needs before they say more than the policy's estimate: with
  /// fewer, one slow server of twenty would be the 95th percentile.
  package static let estimateSamples = 20
  /// When a phase has so many times they count half from then on: a fleet changes, and what it took
  /// two years ago must not outweigh this month.
  package static let estimateMemory = 1_000
  /// Runs of a campaign whose planned times are kept; of larger ones only rings and clients. 8
  /// bytes each in memory, and in a row that is written once.
  package static let plannedRuns = 20_000
  /// Servers that a report names because they went otherwise than planned.
  package static let deviations = 20
  /// Updates named in an update set, and results of one server.
  package static let updates = 512
  /// Reasons, messages and notes, in bytes; longer ones are cut at a character.
  package static let message = 1_024
  /// Rows of a page: a reader holds one page in memory.
  package static let page = 500
  /// Events stepped into one commit: 500 transitions take 2 ms, and nobody waits longer.
  package static let batch = 500
  /// Inputs waiting for the control machine before callers are told to come back.
  package static let waitingInputs = 100_000
  /// Callers waiting for an answer; more are told to come back.
  package static let waitingCallers = 10_000
  /// Plans, reports and imports that wait or are worked out; each keeps a copy of the state.
  package static let waitingWork = 8
  /// Messages waiting for one agent's session; an agent that reads nothing is cut off.
  package static let waitingForAgent = 256
  /// How far above the counter a fence may be that an agent's journal names. A restored database is
  /// behind its agents by what was drawn since its backup; this is a thousand a second for 34
  /// years. Whatever is further away is a broken or a hostile journal.
  package static let fenceLead: UInt64 = 1 << 40
  /// No counter of fences is higher: the store's whole numbers have a sign. An agent lifts it to
  /// half of this at most, so that what is left can never be drawn to its end.
  package static let highestFence: UInt64 = 1 << 62
  /// Those who watch the lines of hooks at once; each costs a look at every line.
  package static let logWatchers = 64
  /// Lines of hooks that wait for one watcher; then it misses the oldest.
  package static let waitingLogLines = 4_096
  /// How far ahead windows are turned into intervals: twice what a campaign may look ahead, so that
  /// it sees that far on the last day before they are worked out anew, too.
  package static let windowHorizon = Duration.seconds(28 * 86_400)
  /// An attempt that is due while changed windows are being worked out is looked at again after this
  /// long: the calendar takes milliseconds.
  package static let calendarPause = Duration.seconds(1)
  /// How far back windows are known: a campaign is replayed under the windows it had.
  package static let windowPast = Duration.seconds(15 * 86_400)
  /// Intervals of one client from ``windowPast`` ago to ``windowHorizon`` ahead.
  package static let windowIntervals = 2_048
  /// Openings of a client's windows that are worked out at once: two years of weekends.
  package static let openings = 100
  /// How long a server may be down and held before somebody is reminded, outside its window.
  package static let holdGrace = Duration.seconds(3_600)
  /// The longest outage that a person may declare: what lasts longer is a client to pause.
  package static let outage = Duration.seconds(7 * 86_400)
  /// How long an answer is kept under its request id.
  package static let requestIDLifetime = Duration.seconds(86_400)
  /// Request ids kept at once; the oldest go first.
  package static let requestIDs = 100_000
}

import AtlasModel

/// Everything that one commit makes durable: all of it, or nothing.
///
/// Of several puts of one key the last one counts. Removals come after puts, and answers are
/// forgotten before new ones are kept.
package struct Batch: Hashable, Sendable {
  /// New records, in order; the first follows the last one in the store without a gap.
  package var records: [LogRecord]
  /// Rows of current state to insert or replace.
  package var puts: [StateRow]
  /// Rows of current state to remove; removing one that is not there is not an error.
  package var removals: [StateKey]
  /// Commands that must reach an agent.
  package var outboxPuts: [OutboxRow]
  /// Fences of commands that need not be sent any more.
  package var outboxRemovals: [UInt64]
  /// Answers given under a request id.
  package var answers: [AnswerRow]
  /// Answers given before this real time (milliseconds since the Unix epoch) are forgotten; nil
  /// forgets none. Their lifetime is the caller's business.
  package var forgetAnswersBefore: Int64?
  /// Hook runs that have ended.
  package var hookRuns: [HookRunRow]
  /// Counters and clock as they are after this batch.
  package var meta: StoreMeta

  package init(
    records: [LogRecord] = [], puts: [StateRow] = [], removals: [StateKey] = [],
    outboxPuts: [OutboxRow] = [], outboxRemovals: [UInt64] = [], answers: [AnswerRow] = [],
    forgetAnswersBefore: Int64? = nil, hookRuns: [HookRunRow] = [], meta: StoreMeta
  ) {
    self.records = records
    self.puts = puts
    self.removals = removals
    self.outboxPuts = outboxPuts
    self.outboxRemovals = outboxRemovals
    self.answers = answers
    self.forgetAnswersBefore = forgetAnswersBefore
    self.hookRuns = hookRuns
    self.meta = meta
  }
}

/// What a row of current state describes.
package enum StateTable: UInt8, CaseIterable, Hashable, Sendable {
  case client
  case server
  case campaign
  case run
  /// Latches and other things of which there are few.
  case setting
}

/// Identity of a row of current state.
package struct StateKey: Hashable, Sendable, Comparable {
  package var table: StateTable
  /// The campaign of a run, or which sort of setting; 0 for the other tables.
  package var owner: Int64
  /// Number of the thing in its table, or of the run in its campaign.
  package var number: Int64

  package init(table: StateTable, owner: Int64 = 0, number: Int64) {
    self.table = table
    self.owner = owner
    self.number = number
  }

  package static func < (left: StateKey, right: StateKey) -> Bool {
    (left.table.rawValue, left.owner, left.number)
      < (right.table.rawValue, right.owner, right.number)
  }
}

/// A row of current state: its identity, what a person looking into the file should see at once,
/// and the whole value in the control machine's own encoding.
package struct StateRow: Hashable, Sendable {
  package var key: StateKey
  /// Name of the client, server or campaign; of a run, its server's name.
  package var name: String
  /// State in words, such as `HELD`; empty where there is none.
  package var state: String
  package var body: [UInt8]

  package init(key: StateKey, name: String, state: String = "", body: [UInt8]) {
    self.key = key
    self.name = name
    self.state = state
    self.body = body
  }
}

/// A command on its way to an agent, kept until the agent has acknowledged it.
package struct OutboxRow: Hashable, Sendable {
  /// Identity of the command.
  package var fence: UInt64
  /// Number of the server it is for.
  package var server: Int64
  /// The command as it was decided: a replay sends the same bytes.
  package var body: [UInt8]

  package init(fence: UInt64, server: Int64, body: [UInt8]) {
    self.fence = fence
    self.server = server
    self.body = body
  }
}

/// The answer that was given to a request, so that a repeat gets the same one.
package struct AnswerRow: Hashable, Sendable {
  package var principal: String
  package var method: String
  package var requestID: String
  /// SHA-256 of the request's content: other content under the same id is refused.
  package var contentHash: [UInt8]
  package var answer: [UInt8]
  /// Real time of the answer, in milliseconds since the Unix epoch.
  package var realTimeMilliseconds: Int64

  package init(
    principal: String, method: String, requestID: String, contentHash: [UInt8], answer: [UInt8],
    realTimeMilliseconds: Int64
  ) {
    self.principal = principal
    self.method = method
    self.requestID = requestID
    self.contentHash = contentHash
    self.answer = answer
    self.realTimeMilliseconds = realTimeMilliseconds
  }
}

/// One hook run that has ended, for the audit.
package struct HookRunRow: Hashable, Sendable {
  /// `run.key`, the same for a repeat after a crash.
  package var key: String
  package var campaign: String
  package var client: String
  package var server: String
  package var point: String
  package var attempt: Int
  /// `ok`, `skip`, `defer`, `fail`, `error`, `cancelled` or `not_defined`.
  package var outcome: String
  package var message: String
  package var errorKind: String
  package var file: String
  package var line: Int
  package var traceback: String
  package var revision: String
  /// Campaign time it started at, and how long it took.
  package var startedAt: Instant
  package var tookMilliseconds: Int64
  package var cpuMicroseconds: Int64
  package var peakMemoryBytes: Int64
  /// Host calls by name, as `name count errors`, one a line; see ``HookTotals/CallCount``.
  package var calls: String

  package init(
    key: String, campaign: String, client: String, server: String, point: String, attempt: Int,
    outcome: String, message: String = "", errorKind: String = "", file: String = "",
    line: Int = 0, traceback: String = "", revision: String = "", startedAt: Instant,
    tookMilliseconds: Int64 = 0, cpuMicroseconds: Int64 = 0, peakMemoryBytes: Int64 = 0,
    calls: String = ""
  ) {
    self.key = key
    self.campaign = campaign
    self.client = client
    self.server = server
    self.point = point
    self.attempt = attempt
    self.outcome = outcome
    self.message = message
    self.errorKind = errorKind
    self.file = file
    self.line = line
    self.traceback = traceback
    self.revision = revision
    self.startedAt = startedAt
    self.tookMilliseconds = tookMilliseconds
    self.cpuMicroseconds = cpuMicroseconds
    self.peakMemoryBytes = peakMemoryBytes
    self.calls = calls
  }
}

/// Counters and clock, saved with every commit.
package struct StoreMeta: Hashable, Sendable {
  /// Highest fence ever drawn.
  package var fence: UInt64
  /// Campaign time of the newest commit; the demo clock goes on from here.
  package var campaignTime: Instant
  /// How many times faster than real time campaign time runs; 1 outside rehearsals. A store keeps
  /// the factor kind (rehearsal or not) it was made with.
  package var demoFactor: Int
  /// Length of the log and hash of its last record.
  package var lastSeq: UInt64
  package var lastHash: [UInt8]

  package init(
    fence: UInt64 = 0, campaignTime: Instant, demoFactor: Int = 1, lastSeq: UInt64 = 0,
    lastHash: [UInt8] = LogRecord.genesisHash
  ) {
    self.fence = fence
    self.campaignTime = campaignTime
    self.demoFactor = demoFactor
    self.lastSeq = lastSeq
    self.lastHash = lastHash
  }
}

import AtlasModel

/// One row of the append-only log: what happened, to what, when, why and by whose order.
///
/// A record is at once the event history, the audit record and an item of a watched campaign. Every
/// record carries the hash of the one before it, so that a changed or missing row is found.
package struct LogRecord: Hashable, Sendable {
  /// Position in the log: 1 for the first, then counted up without gaps.
  package var seq: UInt64
  /// When it happened in campaign time.
  package var campaignTime: Instant
  /// When it happened by the machine's clock, in milliseconds since the Unix epoch.
  package var realTimeMilliseconds: Int64
  /// What happened, such as `run.started`.
  package var kind: String
  /// Name of the campaign, client and server it is about; empty where it is about none.
  package var campaign: String
  package var client: String
  package var server: String
  /// Ring it is about; nil where it is about none.
  package var ring: Int?
  /// Number of the run in its campaign, from 1; nil where it is about none.
  package var run: Int?
  /// State of the run before and after, in the words of the lists; empty when not about a run.
  package var fromState: String
  package var toState: String
  /// Phase of the run, attempt and pass at that moment; empty and nil when not about a run.
  package var phase: String
  package var attempt: Int?
  package var pass: Int?
  /// Fence of the command or stop it is about; nil where it is about none.
  package var fence: UInt64?
  /// The reason in one word, for programs: `backup`, `offline`, `healthy`.
  package var detail: String
  /// The reason in a sentence, for people; may be empty.
  package var reason: String
  /// Who asked for it; empty when the engine decided.
  package var principal: String
  /// SHA-256 of the record before (32 zero bytes for the first) and of this one.
  package var previousHash: [UInt8]
  package var hash: [UInt8]

  package init(
    seq: UInt64, campaignTime: Instant, realTimeMilliseconds: Int64, kind: String,
    campaign: String = "", client: String = "", server: String = "", ring: Int? = nil,
    run: Int? = nil, fromState: String = "", toState: String = "", phase: String = "",
    attempt: Int? = nil, pass: Int? = nil, fence: UInt64? = nil, detail: String = "",
    reason: String = "", principal: String = "", previousHash: [UInt8] = [], hash: [UInt8] = []
  ) {
    self.seq = seq
    self.campaignTime = campaignTime
    self.realTimeMilliseconds = realTimeMilliseconds
    self.kind = kind
    self.campaign = campaign
    self.client = client
    self.server = server
    self.ring = ring
    self.run = run
    self.fromState = fromState
    self.toState = toState
    self.phase = phase
    self.attempt = attempt
    self.pass = pass
    self.fence = fence
    self.detail = detail
    self.reason = reason
    self.principal = principal
    self.previousHash = previousHash
    self.hash = hash
  }
}

extension LogRecord {
  /// What the first record carries as the hash of the one before.
  package static let genesisHash = [UInt8](repeating: 0, count: 32)

  /// The bytes that ``hash`` is taken over.
  ///
  /// The encoding is one to one, so that two different records never have the same bytes: the text
  /// `atlas.log.1`, the hash of the record before, then every column in the order of its
  /// declaration. A number is eight bytes, big-endian, two's complement; an absent number is the
  /// byte 0, a present one the byte 1 and its eight bytes. A text is its length in bytes as a
  /// number, then its UTF-8.
  package var canonicalBytes: [UInt8] {
    var bytes = [UInt8]()
    bytes.reserveCapacity(320)
    bytes.append(contentsOf: "atlas.log.1".utf8)
    bytes.append(contentsOf: previousHash)
    bytes.append(number: Int64(bitPattern: seq))
    bytes.append(number: campaignTime.milliseconds)
    bytes.append(number: realTimeMilliseconds)
    for text in [kind, campaign, client, server] { bytes.append(text: text) }
    bytes.append(optional: ring.map(Int64.init))
    bytes.append(optional: run.map(Int64.init))
    for text in [fromState, toState, phase] { bytes.append(text: text) }
    bytes.append(optional: attempt.map(Int64.init))
    bytes.append(optional: pass.map(Int64.init))
    bytes.append(optional: fence.map { Int64(bitPattern: $0) })
    for text in [detail, reason, principal] { bytes.append(text: text) }
    return bytes
  }
}

extension [UInt8] {
  fileprivate mutating func append(number: Int64) {
    Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
  }

  fileprivate mutating func append(optional number: Int64?) {
    append(number == nil ? 0 : 1)
    if let number { append(number: number) }
  }

  fileprivate mutating func append(text: String) {
    append(number: Int64(text.utf8.count))
    append(contentsOf: text.utf8)
  }
}

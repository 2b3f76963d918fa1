import AtlasModel
import AtlasStore
import AtlasWire

extension AtlasV1.Record {
  init(_ record: LogRecord) {
    self.init(
      seq: record.seq, campaignTime: .init(record.campaignTime),
      realTime: .init(millisecondsSinceEpoch: record.realTimeMilliseconds), kind: record.kind,
      campaign: record.campaign, client: record.client, server: record.server,
      fromState: .init(word: record.fromState), toState: .init(word: record.toState),
      phase: .init(word: record.phase), attempt: Int32(record.attempt ?? 0),
      pass: Int32(record.pass ?? 0), fence: record.fence ?? 0, reason: record.reason,
      principal: record.principal, previousHash: record.previousHash, hash: record.hash,
      ring: Int32(record.ring ?? 0), detail: record.detail)
  }
}

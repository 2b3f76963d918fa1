import AtlasModel

/// What a memory store holds, and every rule of a store, as a plain value.
///
/// It is the model that other stores are compared with, so it prefers the obvious way to the fast
/// one. Texts are compared byte for byte, as databases do.
package struct MemoryStoreContents: Sendable {
  private var meta: StoreMeta?
  private var rows: [StateKey: StateRow] = [:]
  private var outbox: [UInt64: OutboxRow] = [:]
  private var answers: [AnswerKey: KeptAnswer] = [:]
  private var answersKept = 0
  private var log: [LogRecord] = []
  private var hooks: [HookRunRow] = []
  private var totals: [ExactText: CampaignTotals] = [:]
  private var values: [ExactText: [ExactText: [UInt8]]] = [:]

  package init() {}

  /// Everything that is loaded at a start.
  package var state: StoredState {
    StoredState(
      meta: meta,
      rows: rows.values.sorted { $0.key < $1.key },
      outbox: outbox.values.sorted { $0.fence < $1.fence },
      answers: answers.values.sorted().map(\.row))
  }

  /// Applies `batch` as a whole, or throws and changes nothing.
  package mutating func commit(_ batch: Batch) throws(StoreError) {
    try batch.check(after: meta)
    for row in batch.hookRuns { try add(row) }
    log.append(contentsOf: batch.records)
    for row in batch.puts { rows[row.key] = row }
    for key in batch.removals { rows[key] = nil }
    for row in batch.outboxPuts { outbox[row.fence] = row }
    for fence in batch.outboxRemovals { outbox[fence] = nil }
    if let limit = batch.forgetAnswersBefore {
      answers = answers.filter { $0.value.row.realTimeMilliseconds >= limit }
    }
    for row in batch.answers { keep(row) }
    meta = batch.meta
  }

  private mutating func add(_ row: HookRunRow) throws(StoreError) {
    // The check has read the calls before; nothing is half applied.
    let calls = try row.callCounts()
    hooks.append(row)
    totals[ExactText(row.campaign), default: CampaignTotals()].add(calls)
  }

  private mutating func keep(_ row: AnswerRow) {
    answersKept += 1
    answers[AnswerKey(row)] = KeptAnswer(number: answersKept, row: row)
  }

  /// Stores or (nil) removes a value, within the client's limits; see ``Store``.
  package mutating func setKeyValue(
    client: String, key: String, to value: [UInt8]?, if condition: KeyValueCondition
  ) throws(StoreError) -> Bool {
    let present = keyValue(client: client, key: key)
    guard condition.holds(for: present) else { return false }
    _ = try usage(of: client).replacing(present?.count, with: value?.count, key: key)
    values[ExactText(client), default: [:]][ExactText(key)] = value
    return true
  }

  private func usage(of client: String) -> KeyValueUsage {
    let stored = values[ExactText(client), default: [:]]
    let bytes = stored.reduce(0) { $0 + $1.key.text.utf8.count + $1.value.count }
    return KeyValueUsage(keys: stored.count, bytes: bytes)
  }
}

// MARK: - Reading

extension MemoryStoreContents {
  /// See ``Store``.
  package func records(after seq: UInt64, limit: Int, filter: RecordFilter) -> [LogRecord] {
    let found = log[Int(clamping: min(seq, UInt64(log.count)))...].lazy
      .filter { filter.matches(campaign: $0.campaign, client: $0.client, server: $0.server) }
    return Array(found.prefix(Limits.pageSize(limit)))
  }

  /// See ``Store``.
  package func records(before seq: UInt64?, limit: Int, filter: RecordFilter) -> [LogRecord] {
    let end = seq.map { $0 == 0 ? 0 : min($0 - 1, UInt64(log.count)) } ?? UInt64(log.count)
    let found = log[..<Int(clamping: end)].reversed().lazy
      .filter { filter.matches(campaign: $0.campaign, client: $0.client, server: $0.server) }
    return Array(found.prefix(Limits.pageSize(limit)))
  }

  /// See ``Store``.
  package func hookRuns(
    after id: Int64, limit: Int, filter: RecordFilter
  ) -> [(id: Int64, row: HookRunRow)] {
    let start = Int(clamping: min(max(id, 0), Int64(hooks.count)))
    let found = zip(Int64(start + 1)..., hooks[start...]).lazy
      .filter { filter.matches(campaign: $1.campaign, client: $1.client, server: $1.server) }
    return found.prefix(Limits.pageSize(limit)).map { (id: $0, row: $1) }
  }

  /// See ``Store``.
  package func hookRuns(
    before id: Int64?, limit: Int, filter: RecordFilter
  ) -> [(id: Int64, row: HookRunRow)] {
    let end = id.map { Int(clamping: min(max($0 - 1, 0), Int64(hooks.count))) } ?? hooks.count
    let found = zip(Int64(1)..., hooks[..<end]).reversed().lazy
      .filter { filter.matches(campaign: $1.campaign, client: $1.client, server: $1.server) }
    return found.prefix(Limits.pageSize(limit)).map { (id: $0, row: $1) }
  }

  /// See ``Store``.
  package func hookTotals(campaign: String) -> HookTotals {
    totals[ExactText(campaign)]?.sum ?? HookTotals()
  }

  /// See ``Store``.
  package func keyValue(client: String, key: String) -> [UInt8]? {
    values[ExactText(client)]?[ExactText(key)]
  }
}

// MARK: - Parts

/// A text that is equal only to the same bytes; Swift's own strings are equal when they look so.
private struct ExactText: Hashable, Comparable {
  let text: String

  init(_ text: String) { self.text = text }

  static func == (left: Self, right: Self) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

  static func < (left: Self, right: Self) -> Bool {
    left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }

  func hash(into hasher: inout Hasher) {
    for byte in text.utf8 { hasher.combine(byte) }
  }
}

private struct AnswerKey: Hashable {
  let principal: ExactText
  let method: ExactText
  let requestID: ExactText

  init(_ row: AnswerRow) {
    principal = ExactText(row.principal)
    method = ExactText(row.method)
    requestID = ExactText(row.requestID)
  }
}

/// An answer and when it was kept, compared with others; the oldest first.
private struct KeptAnswer: Comparable {
  let number: Int
  let row: AnswerRow

  static func < (left: Self, right: Self) -> Bool {
    (left.row.realTimeMilliseconds, left.number) < (right.row.realTimeMilliseconds, right.number)
  }
}

private struct CampaignTotals {
  private var hookRuns = 0
  private var calls: [ExactText: HookTotals.CallCount] = [:]

  mutating func add(_ counts: [HookTotals.CallCount]) {
    hookRuns += 1
    for call in counts {
      let name = ExactText(call.name)
      calls[name, default: .init(name: call.name, count: 0, errors: 0)].count += call.count
      calls[name]?.errors += call.errors
    }
  }

  var sum: HookTotals {
    let sorted = calls.sorted { $0.key < $1.key }
    return HookTotals(hookRuns: hookRuns, calls: sorted.map(\.value))
  }
}

import AtlasModel
import AtlasStore
import Testing

struct StoreRulesTests {
  @Test
  func `calls are written as lines and read back`() throws {
    let calls = [
      HookTotals.CallCount(name: "http.get", count: 2, errors: 1),
      .init(name: "kv.set", count: 0, errors: 0),
      .init(name: "agent.run", count: Int(UInt32.max), errors: 7),
    ]
    let row = HookRunRow(
      key: "k", campaign: "c", client: "LAA", server: "S", point: "finalize", attempt: 1,
      outcome: "ok", startedAt: Instant(milliseconds: 0),
      calls: HookTotals.CallCount.lines(calls))
    #expect(row.calls == "http.get 2 1\nkv.set 0 0\nagent.run 4294967295 7")
    #expect(try row.callCounts() == calls)
  }

  @Test
  func `usage follows what is written, and a client over its limit may only shrink`() throws {
    let usage = KeyValueUsage(keys: 3, bytes: KeyValueLimits.clientBytes + 10)
    let cases: [(old: Int?, new: Int?, expected: KeyValueUsage?)] = [
      (nil, nil, usage),
      (nil, 0, nil),
      (8, 9, nil),
      (8, 8, usage),
      (8, 7, KeyValueUsage(keys: 3, bytes: usage.bytes - 1)),
      (8, nil, KeyValueUsage(keys: 2, bytes: usage.bytes - 9)),
    ]
    for (old, new, expected) in cases {
      let found = try? usage.replacing(old, with: new, key: "k")
      #expect(found == expected, "from \(String(describing: old)) to \(String(describing: new))")
    }
  }

  @Test
  func `errors are sentences for an operator`() {
    let sentences: [(StoreError, String)] = [
      (
        .inUse(path: "/var/lib/atlas", pid: 17),
        "the store at /var/lib/atlas is in use by another process (pid 17); "
          + "one daemon owns a data directory"
      ),
      (
        .outOfOrder(expected: 4, got: 6),
        "the log goes on with record 4, not 6; nothing was written"
      ),
      (
        .outOfOrder(expected: 4, got: 4),
        "record 4 does not carry the hash of the one before it; nothing was written"
      ),
      (
        .outcomeUnknown("disk I/O error"),
        "it is not known whether the last commit is on disk: disk I/O error"
      ),
    ]
    for (error, sentence) in sentences {
      #expect("\(error)" == sentence)
    }
  }
}

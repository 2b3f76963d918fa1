import AtlasModel
import AtlasStore

extension StoreConformance {
  static let keyValueChecks = [
    valuesFollowConditions, valuesAreIsolated, keysAreLimited, sizesAreLimited, bytesAreLimited,
    oneWriterWins, refusalIsOneWriters,
  ]

  private static let valuesFollowConditions = StoreCheck(
    "a value is written, replaced and removed as its condition says"
  ) { place in
    try await place.withStore { store in
      let steps: [(KeyValueCondition, [UInt8]?, Bool, [UInt8]?)] = [
        (.equals([]), [1], false, nil),
        (.absent, [1], true, [1]),
        (.absent, [2], false, [1]),
        (.equals([2]), [3], false, [1]),
        (.equals([1]), [3], true, [3]),
        (.always, [], true, []),
        (.equals([]), [4], true, [4]),
        (.equals([5]), nil, false, [4]),
        (.equals([4]), nil, true, nil),
        (.always, nil, true, nil),
        (.absent, nil, true, nil),
        (.always, [6], true, [6]),
      ]
      for (number, (condition, value, isDone, present)) in steps.enumerated() {
        let done = try await store.setKeyValue(
          client: "LAA", key: "k", to: value, if: condition)
        try expect("the outcome of step \(number)", done, isDone)
        let found = try await store.keyValue(client: "LAA", key: "k")
        try expect("the value after step \(number)", found, present)
      }
    }
  }

  private static let valuesAreIsolated = StoreCheck(
    "values survive a reopen, and no client sees another's"
  ) { place in
    let clients = ["LAA", "LA", "laa", "", "LAA\u{0}"]
    try await place.withStore { store in
      for (index, client) in clients.enumerated() {
        for key in ["k", "K", "", "k\u{0}"] {
          try await store.set(client, key, Array(key.utf8) + [UInt8(index)])
        }
      }
    }
    try await place.withStore { store in
      for (index, client) in clients.enumerated() {
        for key in ["k", "K", "", "k\u{0}"] {
          let value = try await store.keyValue(client: client, key: key)
          try expect("\(client)/\(key)", value, Array(key.utf8) + [UInt8(index)])
        }
      }
      try expect("of nobody", try await store.keyValue(client: "LAB", key: "k"), nil)
    }
  }

  private static let keysAreLimited = StoreCheck("a client may store \(KeyValueLimits.keys) keys") {
    place in
    try await place.withStore { store in
      for number in 0..<KeyValueLimits.keys {
        try await store.set("LAA", "k\(number)", [1])
      }
      try await expectFull("one more") {
        try await store.set("LAA", "more", [1])
      }
      try expect("one more", try await store.keyValue(client: "LAA", key: "more"), nil)
      try await store.set("LAB", "more", [1])
      try await store.set("LAA", "k0", [1, 2])
      try await store.set("LAA", "k1", nil)
      try await store.set("LAA", "more", [1])
    }
  }

  private static let sizesAreLimited = StoreCheck("a key and a value have a largest size") {
    place in
    try await place.withStore { store in
      let key = String(repeating: "é", count: KeyValueLimits.keyBytes / 2)
      let value = [UInt8](repeating: 1, count: KeyValueLimits.valueBytes)
      try await store.set("LAA", key, value)
      try await expectFull("a longer key") {
        try await store.set("LAA", key + "x", [1])
      }
      try await expectFull("a larger value") {
        try await store.set("LAA", key, value + [1])
      }
      try expect("the value", try await store.keyValue(client: "LAA", key: key), value)
    }
  }

  private static let bytesAreLimited = StoreCheck(
    "a client may store \(KeyValueLimits.clientBytes) bytes, keys included"
  ) { place in
    try await place.withStore { store in
      let value = [UInt8](repeating: 1, count: KeyValueLimits.valueBytes)
      let fitting = KeyValueLimits.clientBytes / (value.count + 2)
      for number in 10..<10 + fitting { try await store.set("LAA", "\(number)", value) }
      try await expectFull("one more") {
        try await store.set("LAA", "99", value)
      }
      let rest = KeyValueLimits.clientBytes - fitting * (value.count + 2)
      try await store.set("LAA", "99", Array(value.prefix(rest - 2)))
      try await expectFull("a byte more") {
        try await store.set("LAA", "99", Array(value.prefix(rest - 1)))
      }
      try await store.set("LAA", "10", [])
      try await store.set("LAA", "99", Array(value.prefix(rest)))
    }
  }

  private static let oneWriterWins = StoreCheck(
    "of many writers under one condition exactly one succeeds"
  ) { place in
    try await place.withStore { store in
      let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
        for writer in 0..<600 {
          group.addTask {
            try await store.setKeyValue(
              client: "LAA", key: "leader", to: [UInt8(writer % 256)], if: .absent)
          }
        }
        return try await group.reduce(into: 0) { count, isDone in count += isDone ? 1 : 0 }
      }
      try expect("the number of winners", winners, 1)
    }
  }

  private static let refusalIsOneWriters = StoreCheck(
    "what is refused to one writer is nothing to the others"
  ) { place in
    try await place.withStore { store in
      let tooLarge = [UInt8](repeating: 1, count: KeyValueLimits.valueBytes + 1)
      let refused = await withTaskGroup(of: StoreError?.self) { group in
        for writer in 0..<300 {
          group.addTask {
            do throws(StoreError) {
              try await store.set("LAA", "k\(writer)", writer % 10 == 0 ? tooLarge : [1])
              return nil
            } catch {
              return error
            }
          }
        }
        return await group.reduce(into: 0) { count, error in count += error == nil ? 0 : 1 }
      }
      try expect("the number of refusals", refused, 30)
      for writer in 0..<300 {
        let value = try await store.keyValue(client: "LAA", key: "k\(writer)")
        try expect("the value of writer \(writer)", value, writer % 10 == 0 ? nil : [1])
      }
    }
  }

  private static func expectFull(
    _ what: String, _ body: () async throws -> Void
  ) async throws {
    try await expectRefusal(what, ofKind: "full", body)
  }
}

extension Store {
  fileprivate func set(
    _ client: String, _ key: String, _ value: [UInt8]?
  ) async throws(StoreError) {
    _ = try await setKeyValue(client: client, key: key, to: value, if: .always)
  }
}

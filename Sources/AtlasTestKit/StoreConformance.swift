import AtlasModel
import AtlasStore

/// What every store must do, as one list of checks that each store's tests run.
///
/// The suite knows no test library. With Swift Testing:
///
///     @Test(arguments: StoreConformance.checks)
///     func `it keeps the promises of a store`(check: StoreCheck) async throws {
///       try await check.run(in: MemoryStorePlace())
///     }
package enum StoreConformance {
  /// Every check, each of them alone in a new place.
  package static let checks =
    logChecks + pageChecks + stateChecks + hookChecks + keyValueChecks + lifeChecks
}

/// Where a store keeps its things: a store that is opened there again finds what was committed.
package protocol StorePlace: Sendable {
  func open() async throws(StoreError) -> any Store
}

/// The place of a memory store.
package struct MemoryStorePlace: StorePlace {
  package let disk = MemoryDisk()

  package init() {}

  package func open() throws(StoreError) -> any Store { try MemoryStore(disk: disk) }
}

extension StorePlace {
  /// Opens the store, and closes it after `body`.
  package func withStore<Value>(_ body: (any Store) async throws -> Value) async throws -> Value {
    let store = try await open()
    let value: Value
    do {
      value = try await body(store)
    } catch {
      // The first failure is the one to report.
      try? await store.close()
      throw error
    }
    try await store.close()
    return value
  }
}

/// One promise of a store, and the check of it.
package struct StoreCheck: Sendable, CustomStringConvertible {
  /// The promise, as a sentence.
  package let description: String
  private let body: @Sendable (any StorePlace) async throws -> Void

  init(_ sentence: String, _ body: @escaping @Sendable (any StorePlace) async throws -> Void) {
    description = sentence
    self.body = body
  }

  /// Checks a store at `place`, where there is none yet.
  /// - Throws: ``StoreCheckFailure`` when the promise is broken, or what the store threw.
  package func run(in place: some StorePlace) async throws {
    try await body(place)
  }
}

/// A promise that a store has broken.
package struct StoreCheckFailure: Error, CustomStringConvertible {
  package let message: String
  package let fileID: String
  package let line: Int

  package var description: String { "\(fileID):\(line): \(message)" }
}

/// Throws a failure unless the two values are the same.
func expect<Value: Equatable>(
  _ what: String, _ actual: Value, _ expected: Value, fileID: String = #fileID, line: Int = #line
) throws(StoreCheckFailure) {
  if actual == expected { return }
  let message = "\(what) is \(brief(actual)), not \(brief(expected))"
  throw StoreCheckFailure(message: message, fileID: fileID, line: line)
}

/// The same for lists, naming the first place at which they differ.
func expect<Element: Equatable>(
  _ what: String, _ actual: [Element], _ expected: [Element], fileID: String = #fileID,
  line: Int = #line
) throws(StoreCheckFailure) {
  if actual == expected { return }
  let same = zip(actual, expected).prefix { $0 == $1 }.count
  let message = """
    \(what): \(actual.count) instead of \(expected.count), and at index \(same) \
    \(actual.dropFirst(same).first.map(brief) ?? "nothing") instead of \
    \(expected.dropFirst(same).first.map(brief) ?? "nothing")
    """
  throw StoreCheckFailure(message: message, fileID: fileID, line: line)
}

/// Throws a failure unless `body` is refused with this error.
func expectRefusal(
  _ what: String, as expected: StoreError, fileID: String = #fileID, line: Int = #line,
  _ body: () async throws -> Void
) async throws {
  try expect(what, try await refusal(body), expected, fileID: fileID, line: line)
}

/// Throws a failure unless `body` is refused with an error of this kind: its case, in words.
func expectRefusal(
  _ what: String, ofKind expected: String, fileID: String = #fileID, line: Int = #line,
  _ body: () async throws -> Void
) async throws {
  let error = try await refusal(body)
  if error?.kind == expected { return }
  try expect(what, error.map { "\($0.kind): \($0)" }, expected, fileID: fileID, line: line)
}

/// The error of a store that `body` throws; nil when it succeeds.
func refusal(_ body: () async throws -> Void) async throws -> StoreError? {
  do {
    try await body()
    return nil
  } catch let error as StoreError {
    return error
  }
}

extension StoreError {
  /// The case without its values.
  fileprivate var kind: String {
    switch self {
    case .inUse: "inUse"
    case .format: "format"
    case .outOfOrder: "outOfOrder"
    case .failed: "failed"
    case .outcomeUnknown: "outcomeUnknown"
    case .full: "full"
    case .closed: "closed"
    }
  }
}

private func brief(_ value: some Any) -> String {
  let text = String(describing: value)
  return text.count > 600 ? text.prefix(600) + "…" : text
}

import AtlasModel
import AtlasStore

/// Answers by request id: a repeat of a request gets the answer of the first, and nothing happens
/// twice.
struct AnswerTable: Sendable {
  struct Key: Hashable, Sendable {
    let principal: String
    let method: String
    let requestID: String
  }

  enum Known {
    case new
    case repeated([UInt8])
    /// The id was used for something else.
    case other
  }

  /// Only looked up, never iterated.
  private var rows: [Key: AnswerRow] = [:]
  /// Oldest first, with the real time of the answer.
  private var ages: [(key: Key, at: Int64)] = []
  private var oldest = 0

  init(_ stored: [AnswerRow]) {
    for row in stored { remember(row) }
  }

  func lookUp(_ caller: Caller) -> Known {
    guard !caller.requestID.isEmpty, !Plant.answersForgotten.isOn, let row = rows[Key(caller)]
    else { return .new }
    return row.contentHash == caller.contentHash ? .repeated(row.answer) : .other
  }

  mutating func remember(_ row: AnswerRow) {
    let key = Key(
      principal: row.principal, method: row.method, requestID: row.requestID)
    rows[key] = row
    ages.append((key, row.realTimeMilliseconds))
  }

  /// Forgets what is older than a day, and the oldest beyond the limit.
  /// - Returns: the real time before which the store may forget; nil when nothing is due.
  mutating func forget(now: Int64) -> Int64? {
    let bound = now - Limits.requestIDLifetime.milliseconds
    var forgotten: Int64?
    while oldest < ages.count, ages[oldest].at < bound || rows.count > Limits.requestIDs {
      rows[ages[oldest].key] = nil
      forgotten = ages[oldest].at + 1
      oldest += 1
    }
    if oldest > 1_000, oldest * 2 > ages.count {
      ages.removeFirst(oldest)
      oldest = 0
    }
    return forgotten
  }
}

extension AnswerTable.Key {
  init(_ caller: Caller) {
    self.init(
      principal: caller.principal, method: caller.method, requestID: caller.requestID)
  }
}

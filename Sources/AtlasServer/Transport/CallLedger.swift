import GRPCCore
import Synchronization

/// What became of the calls since the daemon started.
package struct CallFigures: Sendable, Hashable {
  /// The finished calls of one method that ended in the same way.
  package struct Finished: Sendable, Hashable {
    /// `package.Service/Method`.
    package var method: String
    /// As gRPC writes it: `OK`, `NOT_FOUND` …
    package var code: String
    package var count: UInt64
    /// Their durations added up.
    package var total: Duration
  }

  /// Running now.
  package var open = 0
  /// Refused because there were as many as there may be.
  package var refused: UInt64 = 0
  /// By method, then code.
  package var finished: [Finished] = []

  package init() {}
}

/// The calls of the API, counted, and whether new ones are let in.
package final class CallLedger: Sendable {
  /// What becomes of a new call.
  enum Admission: Sendable, Hashable {
    case admitted
    /// There are as many calls as there may be.
    case full
    case goingDown
  }

  private struct Key: Hashable {
    let method: String
    let code: String
  }

  private struct State {
    var open = 0
    var isGoingDown = false
    var refused: UInt64 = 0
    var finished: [Key: (count: UInt64, total: Duration)] = [:]
  }

  private let state = Mutex(State())
  private let cap: Int

  package convenience init() { self.init(cap: TransportLimits.calls) }

  init(cap: Int) { self.cap = cap }

  /// For metrics.
  package var figures: CallFigures {
    state.withLock { state in
      var figures = CallFigures()
      figures.open = state.open
      figures.refused = state.refused
      figures.finished = state.finished.map { key, sum in
        .init(method: key.method, code: key.code, count: sum.count, total: sum.total)
      }.sorted { ($0.method, $0.code) < ($1.method, $1.code) }
      return figures
    }
  }

  /// Counts a new call, unless there are too many. Whoever is let in is ended later.
  ///
  /// - Parameter always: let in however many there are.
  func begin(always: Bool) -> Admission {
    state.withLock { state in
      if state.isGoingDown { return .goingDown }
      guard always || state.open < cap else {
        state.refused += 1
        return .full
      }
      state.open += 1
      return .admitted
    }
  }

  /// - Parameter method: one that is registered; its names must not come from a peer, who could
  ///   fill the memory with them.
  func end(method: String, code: String, after duration: Duration) {
    state.withLock { state in
      state.open -= 1
      let key = Key(method: method, code: code)
      let sum = state.finished[key] ?? (0, .zero)
      state.finished[key] = (sum.count + 1, sum.total + duration)
    }
  }

  /// From here on no call is let in.
  func goDown() { state.withLock { $0.isGoingDown = true } }

  var isGoingDown: Bool { state.withLock { $0.isGoingDown } }
}

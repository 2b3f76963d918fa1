import AtlasHooks
import AtlasModel
import Synchronization

/// Stops runs at their deadlines, with one timer for all of them: a task for each would cost every
/// run that waits 4 KiB more, and the system as many timers.
final class DeadlineWatch: Sendable {
  /// A run that is watched. Earlier deadlines come first.
  struct Ticket: Hashable, Comparable {
    fileprivate let deadline: Instant
    fileprivate let number: UInt64

    static func < (left: Ticket, right: Ticket) -> Bool {
      (left.deadline, left.number) < (right.deadline, right.number)
    }
  }

  private struct State {
    var nextNumber: UInt64 = 0
    /// Sorted. Deadlines come nearly in order, so that both ends of this array move little.
    var runs: [(ticket: Ticket, handle: RunHandle)] = []
    /// When the timer rings; nil when there is none. It may be for a run that has ended: then it
    /// rings for nothing.
    var ringsAt: Instant?
    var timer: Task<Void, Never>?

    /// Where the ticket is, or belongs.
    func index(of ticket: Ticket) -> Int {
      var (low, high) = (0, runs.count)
      while low < high {
        let middle = (low + high) / 2
        if runs[middle].ticket < ticket { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  private let clock: any HookClock
  private let state = Mutex(State())

  init(clock: any HookClock) { self.clock = clock }

  deinit { state.withLock { $0.timer?.cancel() } }

  /// Stops the run when campaign time is `deadline`, unless it is removed before.
  func add(_ handle: RunHandle, at deadline: Instant) -> Ticket {
    state.withLock { state in
      state.nextNumber += 1
      let ticket = Ticket(deadline: deadline, number: state.nextNumber)
      state.runs.insert((ticket, handle), at: state.index(of: ticket))
      setTimer(&state)
      return ticket
    }
  }

  /// Removing what has been stopped is no error.
  func remove(_ ticket: Ticket) {
    state.withLock { state in
      let index = state.index(of: ticket)
      guard index < state.runs.count, state.runs[index].ticket == ticket else { return }
      state.runs.remove(at: index)
    }
  }

  /// Sees to it that the timer rings no later than the first deadline.
  private func setTimer(_ state: inout State) {
    guard let first = state.runs.first?.ticket.deadline else { return }
    if let ringsAt = state.ringsAt, ringsAt <= first { return }
    state.timer?.cancel()
    state.ringsAt = first
    state.timer = Task { [weak self, clock] in
      guard (try? await clock.sleep(until: first)) != nil, !Task.isCancelled else { return }
      self?.ring(first)
    }
  }

  private func ring(_ instant: Instant) {
    let due = state.withLock { state -> [RunHandle] in
      // One that was replaced meanwhile rings for nothing.
      guard state.ringsAt == instant else { return [] }
      state.ringsAt = nil
      let end = state.index(of: Ticket(deadline: instant, number: .max))
      let due = state.runs[..<end].map(\.handle)
      state.runs.removeSubrange(..<end)
      setTimer(&state)
      return due
    }
    for handle in due { handle.stop(.deadline) }
  }
}

import AtlasHooks
import Synchronization

/// Ends one hook run from outside: a person's cancel, a stop, or its deadline.
final class RunHandle: Sendable {
  /// Why a run is ended from outside. The first reason stays.
  enum Reason: Hashable, Sendable {
    case cancelled
    case deadline
  }

  private struct State {
    var reason: Reason?
    var canceller: LuaCanceller?
    var task: Task<HookReport, Never>?
  }

  private let state = Mutex(State())

  var reason: Reason? { state.withLock(\.reason) }

  /// Stops the script at its next instruction, or the host call it waits for.
  func stop(_ reason: Reason) {
    let (canceller, task) = state.withLock { state in
      if state.reason == nil { state.reason = reason }
      return (state.canceller, state.task)
    }
    canceller?.cancel()
    task?.cancel()
  }

  func attach(_ canceller: LuaCanceller) {
    let stopped = state.withLock { state in
      state.canceller = canceller
      return state.reason != nil
    }
    if stopped { canceller.cancel() }
  }

  func attach(_ task: Task<HookReport, Never>) {
    let stopped = state.withLock { state in
      state.task = task
      return state.reason != nil
    }
    if stopped { task.cancel() }
  }
}

/// Lets a limited number of runs in; the others wait, first come first served.
final class RunSlots: Sendable {
  private struct State {
    var free: Int
    var nextTicket: UInt64 = 0
    /// In the order of their tickets.
    var waiting: [(ticket: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
    /// Tickets that were cancelled before they began to wait.
    var cancelled: Set<UInt64> = []
  }

  private let state: Mutex<State>

  init(_ count: Int) { state = Mutex(State(free: count)) }

  /// Waits for a slot.
  /// - Returns: false when the task was cancelled first; there is nothing to give back then.
  func take() async -> Bool {
    let ticket: UInt64? = state.withLock { state in
      if state.free > 0 {
        state.free -= 1
        return nil
      }
      state.nextTicket += 1
      return state.nextTicket
    }
    guard let ticket else { return true }
    let taken = await withTaskCancellationHandler {
      await withCheckedContinuation { wait(ticket, $0) }
    } onCancel: {
      giveUp(ticket)
    }
    // A cancel that came after the slot did has left its ticket behind.
    state.withLock { _ = $0.cancelled.remove(ticket) }
    return taken
  }

  func giveBack() {
    let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
      if state.waiting.isEmpty {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst().continuation
    }
    next?.resume(returning: true)
  }

  private func wait(_ ticket: UInt64, _ continuation: CheckedContinuation<Bool, Never>) {
    let answer = state.withLock { state -> Bool? in
      if state.cancelled.remove(ticket) != nil { return false }
      if state.free > 0 {
        state.free -= 1
        return true
      }
      state.waiting.append((ticket, continuation))
      return nil
    }
    if let answer { continuation.resume(returning: answer) }
  }

  private func giveUp(_ ticket: UInt64) {
    let waiting = state.withLock { state -> CheckedContinuation<Bool, Never>? in
      guard let index = state.waiting.firstIndex(where: { $0.ticket == ticket }) else {
        state.cancelled.insert(ticket)
        return nil
      }
      return state.waiting.remove(at: index).continuation
    }
    waiting?.resume(returning: false)
  }
}

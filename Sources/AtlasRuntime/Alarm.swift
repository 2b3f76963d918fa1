import AtlasModel
import Dispatch
import Synchronization

/// One timer that can be set again.
final class Alarm: Sendable {
  private let state = Mutex(State())

  private struct State {
    /// Only the newest setting may fire.
    var number: UInt64 = 0
    var fire: (@Sendable () -> Void)?
  }

  func onFire(_ fire: @escaping @Sendable () -> Void) { state.withLock { $0.fire = fire } }

  /// Fires once after `delay` of real time, instead of what was set before; nil: not at all.
  func set(_ delay: Duration?) {
    let number = state.withLock { state in
      state.number += 1
      return state.number
    }
    guard let delay else { return }
    let bounded = min(max(delay, .zero), .seconds(86_400))
    let nanoseconds =
      bounded.components.seconds * 1_000_000_000
      + bounded.components.attoseconds / 1_000_000_000
    DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(nanoseconds))) {
      [weak self] in self?.fire(number)
    }
  }

  private func fire(_ number: UInt64) {
    let fire = state.withLock { $0.number == number ? $0.fire : nil }
    fire?()
  }
}

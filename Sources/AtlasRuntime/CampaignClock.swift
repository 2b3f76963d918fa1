import AtlasModel
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Campaign time: the wall clock, or in a rehearsal one that runs a whole number of times faster.
///
/// It never goes back: after a step of the machine's clock it stands still until the clock has
/// caught up.
package final class CampaignClock: Sendable {
  /// 1 outside rehearsals.
  package let factor: Int
  private let state: Mutex<State>

  private struct State {
    /// Campaign time and monotonic time of the same moment.
    var campaignOrigin: Instant
    var monotonicOrigin: Int64
    var latest: Instant
  }

  /// - Parameters:
  ///   - factor: How many times faster than real time; 1 is the wall clock.
  ///   - start: Campaign time of the last commit, where there is one. A rehearsal goes on from
  ///     there; the wall clock stands still until it has caught up.
  package init(factor: Int, start: Instant?) {
    precondition(factor >= 1, "a clock does not stand still")
    self.factor = factor
    let wall = Self.wallClock
    let origin = factor == 1 ? max(wall, start ?? wall) : start ?? wall
    state = Mutex(
      State(campaignOrigin: origin, monotonicOrigin: Self.monotonic, latest: origin))
  }

  /// Campaign time now.
  package var now: Instant {
    let monotonic = Self.monotonic
    let wall = Self.wallClock
    return state.withLock { state in
      let elapsed = (monotonic - state.monotonicOrigin) * Int64(factor)
      let reading =
        factor == 1
        ? wall : Instant(milliseconds: state.campaignOrigin.milliseconds + elapsed / 1_000_000)
      state.latest = max(state.latest, reading)
      return state.latest
    }
  }

  /// Moves a rehearsal's clock forward to `instant`; earlier ones change nothing.
  package func jump(to instant: Instant) {
    guard factor > 1, instant > now else { return }
    state.withLock {
      $0.campaignOrigin = instant
      $0.monotonicOrigin = Self.monotonic
      $0.latest = instant
    }
  }

  /// Real time from now until campaign time is `instant`; zero when it has been.
  package func realDelay(until instant: Instant) -> Duration {
    // A century is for ever, and its nanoseconds still fit.
    let rest = min((instant - now).milliseconds, 100 * 366 * 86_400_000)
    guard rest > 0 else { return .zero }
    // Rounded up, so that the instant has come when the delay is over.
    return .nanoseconds((rest * 1_000_000 + Int64(factor) - 1) / Int64(factor))
  }

  /// The machine's clock, in milliseconds since the Unix epoch.
  package static var realMilliseconds: Int64 { wallClock.milliseconds }

  private static var wallClock: Instant {
    let time = read(CLOCK_REALTIME)
    return Instant(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
  }

  /// Nanoseconds; only differences mean something.
  private static var monotonic: Int64 {
    let time = read(CLOCK_MONOTONIC)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  private static func read(_ clock: clockid_t) -> timespec {
    var time = timespec()
    clock_gettime(clock, &time)
    return time
  }
}

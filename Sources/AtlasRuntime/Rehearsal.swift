import AtlasEngine
import AtlasModel

/// What a rehearsal does not speed up: connections, hooks and this machine are as fast as ever.
package enum Rehearsal {
  /// Shortest real time after which silence of an agent may count as a loss.
  private static let shortestSilence = Duration.seconds(10)
  /// Shortest real time after which a hook or a command may count as overdue.
  private static let shortestDeadline = Duration.seconds(30)
  private static let shortestCheckInterval = Duration.seconds(2)

  /// Those times in campaign time; none when the clock is the wall clock.
  package static func floors(factor: Int) -> ControlState.Floors {
    guard factor > 1 else { return ControlState.Floors() }
    return ControlState.Floors(
      silence: shortestSilence * factor, deadline: shortestDeadline * factor)
  }

  /// How often an agent that polls comes back, in real time.
  package static func checkInterval(_ policy: Duration, factor: Int) -> Duration {
    factor > 1 ? max(policy / factor, shortestCheckInterval) : policy
  }
}

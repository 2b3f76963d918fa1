import Dispatch

/// What bounds the shell around the agents, each with its reason.
package enum KitLimits {
  /// Messages waiting for one session's stream. A daemon that reads nothing is left, and a new
  /// session tells what matters again.
  static let waitingForDaemon = 256
  /// Events waiting for the host's thread before sessions are broken: several for every agent.
  static let waitingForHost = 200_000
  /// A daemon that does not welcome within this real time is left.
  static let welcome = Duration.seconds(15)
  /// How far behind, in real time, a welcome's clock may be without being believed.
  static let clockSlack = Duration.seconds(2)
  /// Wait before the first new session after one has ended; doubles up to the longest.
  static let shortestBackoff = Duration.milliseconds(200)
  static let longestBackoff = Duration.seconds(10)
  /// A session that lived this long starts the next back-off from the shortest again.
  static let steadySession = Duration.seconds(2)
  /// A connection on which nothing comes for this long is tested by the kernel…
  static let keepAliveIdle = Duration.seconds(45)
  /// …this often, with as long between, before it is given up. The daemon pings every 20 s, so that
  /// only a dead one is silent.
  static let keepAliveProbes = 3
  static let keepAliveInterval = Duration.seconds(5)
  /// How long looking at a server may take.
  static let probe = DispatchTimeInterval.seconds(30)
  /// How often a silent program is looked at, in milliseconds.
  static let programPoll: Int32 = 250
  /// Sessions of one HTTP/2 connection, unless a flag says otherwise: servers that say nothing
  /// about streams allow 100.
  package static let sessionsPerConnection = 100
  /// Bytes of the journal beyond which it is compacted while it is in use.
  static let journal = 64 * 1024 * 1024
  /// Records in one frame of a compacted journal.
  static let recordsPerFrame = 1_000
  /// Servers of a simulated fleet: one process holds the sessions of 10,000 with ease.
  package static let servers = 20_000
  /// Bytes of a scenario or a list of servers.
  static let document = 64 * 1024 * 1024
  /// Rows asked for in one page of the daemon's list of servers.
  static let page: Int32 = 500
}

/// The bounds of the program, each with its reason.
enum CommandLimits {
  /// So many times faster than one server after the other is worth telling; below it is chance.
  static let worthwhileGain = 1.1
  /// Rows asked for at once: a row of a run with a dozen updates takes about half a kilobyte, and a
  /// message must stay below 256 KiB.
  static let page = 200
  /// The smallest page that is asked for when a larger one did not fit into a message.
  static let smallestPage = 10
  /// Bytes of a document in one message; the API takes 128 KiB.
  static let piece = 128 * 1024
  /// A policy travels in one message; the API takes 128 KiB.
  static let policy = 128 * 1024
  /// A file of a fleet: a million servers with every column filled are below it.
  static let fleetFile = 256 * 1024 * 1024
  /// A configuration file of this program.
  static let configuration = 256 * 1024
  /// The time for one call when nobody says otherwise.
  static let callTimeout = Duration.seconds(15)
  /// A plan replays the whole campaign and takes longer than other calls.
  static let planTimeout = Duration.seconds(60)
  /// How long a read goes on trying to reach the daemon: long enough for a restart to be noticed as
  /// one, short enough for nobody to wonder whether the program hangs.
  static let patienceOfReads = Duration.seconds(2)
  /// First and longest pause between two attempts.
  static let retryPauses = (first: Duration.milliseconds(100), longest: Duration.seconds(1))
  /// Real time between two looks of `wait`.
  static let waitInterval = Duration.seconds(1)
  /// Servers that `watch` shows one by one; above, it draws shares.
  static let watchedServers = 50_000
  /// Records that `watch` keeps for its list of events.
  static let watchedEvents = 200
  /// Real time between two frames: 10 a second.
  static let frame = Duration.milliseconds(100)
  /// Changes of a fleet that are printed one by one unless `-o wide` asks for all.
  static let printedChanges = 40
  /// Records that `audit list` and `server history` show unless told.
  static let records = 100
}

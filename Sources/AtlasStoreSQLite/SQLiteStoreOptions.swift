/// How a SQLite store is opened, where that is not always the same.
package struct SQLiteStoreOptions: Sendable {
  /// The write-ahead log is written back to the database once it has this many pages of 4 KiB: a
  /// pause of some 10 ms on an SSD. A longer log would save writes of pages that change often, and
  /// make the pause, and recovery after a crash, longer.
  package var checkpointPages = 2_000
  /// The same, waiting for readers that are in the way, so that the log does not grow for ever.
  package var blockingCheckpointPages = 32_000
  /// Pages the database file may have; nil for as many as the disk has room for. A commit beyond
  /// it fails as on a full disk.
  package var maximumPages: Int?
  /// Set by the test of durability alone.
  package var synchronousOff: SynchronousOff?

  package init() {}
}

/// Leave to acknowledge commits that are not on disk: **it loses data in a power cut.**
///
/// One test proves that an answer leaves the daemon only after the disk has confirmed its commit,
/// and proves itself by failing with this. The leave is not to be had from a configuration file or
/// a command line, only where the environment says so.
package struct SynchronousOff: Sendable {
  /// The variable, and the value it must have.
  package static let variable = "ATLAS_TEST_SYNCHRONOUS"
  package static let value = "off-and-lose-my-data"

  /// Nil unless `environment`, that of the process, has the variable.
  package init?(environment: [String: String]) {
    guard environment[Self.variable] == Self.value else { return nil }
  }
}

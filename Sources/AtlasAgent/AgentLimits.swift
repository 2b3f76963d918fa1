import AtlasModel

/// What bounds an agent's memory, journal and messages, each with its reason.
package enum AgentLimits {
  /// Commands in the journal: waiting, running, or done with reports that nobody has acknowledged.
  /// A lane sends one at a time; a daemon that sends more without listening is refused.
  package static let commands = 32
  /// Reports of one command that are not acknowledged: one of progress, and the result.
  package static let reportsPerCommand = 2
  /// Bytes of reports in a hello. What does not fit follows, each in a message of its own, so that
  /// no message comes near the 256 KiB that the daemon refuses.
  package static let helloReports = 64 * 1024
  /// Problems of one health check; more do not help a person.
  package static let problems = 32
  /// Bytes of one problem.
  package static let problem = 512
  /// Bytes of an installer's error code.
  package static let code = 64
  /// Bytes of a boot id.
  package static let bootID = 64
  /// Bytes of one frame of the journal; a frame is one write and one fsync.
  package static let frame = 64 * 1024 * 1024
  /// Bytes of a text in the journal.
  package static let text = 64 * 1024
  /// Entries of a list in the journal.
  package static let list = 65_536
}

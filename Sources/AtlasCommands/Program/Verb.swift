import ArgumentParser

/// A verb of the program: what the command line was parsed into.
protocol Verb: ParsableCommand, Sendable {
  /// The options that every verb takes.
  var global: GlobalOptions { get }

  /// Does what was asked.
  ///
  /// - Throws: ``Failure`` for what people can understand and do something about.
  func run(with console: Console) async throws
}

/// A verb that talks to the daemon.
protocol DaemonVerb: Verb {
  /// The verb that lists what this one takes by name, for hints.
  static var listVerb: String { get }

  /// Does what was asked, over a connection that is open.
  ///
  /// - Throws: ``Failure``.
  func run(in session: Session) async throws
}

extension DaemonVerb {
  static var listVerb: String { "atlas campaign list" }

  func run(with console: Console) async throws {
    let destination = try Destination(options: global, environment: console.environment)
    try await Session.open(
      to: destination, options: global, console: console, listVerb: Self.listVerb
    ) { session in try await run(in: session) }
  }
}

import ArgumentParser
import AtlasWire

/// `atlas server dismiss`
struct ServerDismiss: DaemonVerb {
  static let listVerb = "atlas server list"
  static let configuration = CommandConfiguration(
    commandName: "dismiss",
    abstract: "Say that a server which is down or unexplained need not be counted.",
    discussion: """
      A server that is down for a reason of its own takes one of its client's slots, so that Atlas \
      takes no second one down. When you know why it is down and that it is no matter, dismiss it; \
      it counts again once its agent has been back.

        atlas server dismiss LAA-PARIS-WEB02 --reason "switched off for good"
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The server.") var name: String
  @Option(help: ArgumentHelp("Why; it goes into the log.", valueName: "text")) var reason: String

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.fleet.dismissServer,
      AtlasV1.DismissServerRequest(server: name, reason: reason))
    try session.show(
      Presentation(.message(response), names: [name]) { _ in
        [Line("\(name) is not counted until its agent is back")]
      })
  }
}

/// `atlas server recall`
struct ServerRecall: DaemonVerb {
  static let listVerb = "atlas server list"
  static let configuration = CommandConfiguration(
    commandName: "recall",
    abstract: "Take the dismissal of a server back.",
    discussion: """
        atlas server recall LAA-PARIS-WEB02
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The server.") var name: String

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.fleet.recallServer, AtlasV1.RecallServerRequest(server: name))
    let why = response.server.map(\.unexplained) ?? ""
    try session.show(
      Presentation(.message(response), names: [name]) { _ in
        [Line("\(name) is counted again" + (why.isEmpty ? "" : ": \(why)"))]
      })
  }
}

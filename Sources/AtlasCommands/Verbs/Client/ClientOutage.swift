import ArgumentParser
import AtlasWire

/// `atlas client declare-outage`
struct ClientDeclareOutage: DaemonVerb {
  static let listVerb = "atlas client list"
  static let configuration = CommandConfiguration(
    commandName: "declare-outage",
    abstract: "Say that a client has agreed to be without service for a time.",
    discussion: """
      Meanwhile hosts may take their guests down, servers that are down for another reason keep \
      nothing back, and with --parallel more servers than otherwise are worked on at once. The \
      evidence of a campaign names it. It replaces the one before.

        atlas client declare-outage LAA --until 2026-12-05T23:30:00Z --reason agreed
        atlas client declare-outage LAA --until 2026-12-06 --parallel 3 --reason fair
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The client.") var name: String
  @Option(
    name: .customLong("from"),
    help: ArgumentHelp("When it begins; without it now.", valueName: "time"),
    transform: InstantArgument.parsed)
  var start: InstantArgument?
  @Option(
    help: ArgumentHelp("When it is over.", valueName: "time"), transform: InstantArgument.parsed)
  var until: InstantArgument
  @Option(
    help: ArgumentHelp("Servers that may be in progress at once meanwhile.", valueName: "number"))
  var parallel: Int32?
  @Option(help: ArgumentHelp("Who agreed, and to what.", valueName: "text")) var reason: String

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.fleet.declareOutage,
      AtlasV1.DeclareOutageRequest(
        client: name, from: start?.timestamp, until: until.timestamp, parallel: parallel,
        reason: reason))
    guard let outage = response.client?.outage else { throw Failure.empty("DeclareOutage") }
    let times = try await session.times()
    try session.show(
      Presentation(.message(response), names: [name]) { _ in
        [Line("\(name) is in an outage \(outage.span(times))")]
      })
  }
}

/// `atlas client end-outage`
struct ClientEndOutage: DaemonVerb {
  static let listVerb = "atlas client list"
  static let configuration = CommandConfiguration(
    commandName: "end-outage",
    abstract: "End a declared outage before its time; what is in progress goes on.",
    discussion: """
        atlas client end-outage LAA
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The client.") var name: String

  func run(in session: Session) async throws {
    let response = try await session.change(
      session.daemon.fleet.endOutage, AtlasV1.EndOutageRequest(client: name))
    guard let client = response.client else { throw Failure.empty("EndOutage") }
    let busy = client.slotsInUse
    let rest = busy == 0 ? "" : "; \(counted(busy, "server")) still in progress"
    try session.show(
      Presentation(.message(response), names: [name]) { _ in
        [Line("\(name) is in no outage any more\(rest)")]
      })
  }
}

extension AtlasV1.Outage {
  /// `from … to …, 3 servers at once`.
  func span(_ times: TimeText) -> String {
    let servers = parallel.map { ", \(counted($0, "server")) at once" } ?? ""
    return "from \(times.absolute(from)) to \(times.absolute(until))\(servers)"
  }

  /// The same, with who declared it and why.
  func text(_ times: TimeText) -> String { "\(span(times)), by \(principal): \(reason)" }
}

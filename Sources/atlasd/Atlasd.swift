import ArgumentParser
import AtlasCalendar
import AtlasLua
import AtlasModel
import AtlasServer
import Logging

/// The daemon: `atlasd`.
@main
struct Atlasd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "atlasd",
    abstract: "Patches whole fleets, one server of a customer at a time.",
    discussion: """
      Keeps its state in one directory and serves gRPC to the `atlas` command and to agents. \
      Listening beyond this machine needs TLS.
      """,
    version: AtlasVersion.text)

  @Option(name: .long, help: ArgumentHelp("Where the state is kept.", valueName: "dir"))
  var dataDir: String

  @Option(name: .long, help: ArgumentHelp("Where gRPC is served.", valueName: "host:port"))
  var listen = "127.0.0.1:7443"

  @Option(
    name: .long,
    help: ArgumentHelp(
      "PEM file with the server's certificate and those between it and the root; turns TLS on.",
      valueName: "file"))
  var tlsCert: String?

  @Option(name: .long, help: ArgumentHelp("PEM file with its key.", valueName: "file"))
  var tlsKey: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "PEM file with the authority that signed the clients' certificates: who has none does not "
        + "get in.", valueName: "file"))
  var tlsClientCA: String?

  @Option(name: .long, help: ArgumentHelp("Directory with the Lua hooks.", valueName: "dir"))
  var hooks: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Host that hooks may reach over HTTP, such as backup.example.net:9443, "
        + "*.example.net, veeam.{client}.example.net; CLIENT=HOST allows it for one client only. "
        + "May be given again. Default: none.", valueName: "[client=]host[:port]"))
  var hookHost: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Rehearsal: campaign time runs this many times faster than real time.",
      valueName: "factor"))
  var demoClock: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Campaign time at which a rehearsal begins, such as 2026-11-27T20:00:00Z. "
        + "Default: the first window of the first fleet that is imported.", valueName: "time"))
  var demoStart: String?

  @Option(name: .long, help: ArgumentHelp("debug, info, warning or error.", valueName: "level"))
  var logLevel = "info"

  @Option(
    name: .long,
    help: ArgumentHelp(
      "File to write the port into once it is served, for --listen with port 0.",
      valueName: "file"))
  var portFile: String?

  func run() async throws {
    guard let level = Logger.Level(rawValue: logLevel) else {
      throw ValidationError("--log-level is debug, info, warning or error, not “\(logLevel)”")
    }
    LoggingSystem.bootstrap { LineLogHandler(label: $0, level: level) }
    try await Daemon(options: try options(), portFile: portFile).run()
  }

  private func options() throws -> DaemonOptions {
    let factor = demoClock ?? 1
    guard (1...DaemonOptions.fastestDemo).contains(factor) else {
      throw ValidationError("--demo-clock is 1 to \(DaemonOptions.fastestDemo), not \(factor)")
    }
    guard demoStart == nil || factor > 1 else {
      throw ValidationError("--demo-start needs --demo-clock")
    }
    return DaemonOptions(
      dataDirectory: dataDir, listen: try listenConfiguration(), hooksDirectory: hooks,
      hookHosts: try Self.hostRules(hookHost), demoFactor: factor,
      demoStart: try demoStart.map(Self.instant))
  }

  private func listenConfiguration() throws -> ListenConfiguration {
    let tls: TLSFiles?
    switch (tlsCert, tlsKey) {
    case (let certificate?, let key?):
      tls = TLSFiles(
        certificateChain: certificate, privateKey: key, clientAuthority: tlsClientCA)
    case (nil, nil):
      guard tlsClientCA == nil else {
        throw ValidationError("--tls-client-ca needs --tls-cert and --tls-key")
      }
      tls = nil
    case (_?, nil): throw ValidationError("--tls-cert needs --tls-key")
    case (nil, _?): throw ValidationError("--tls-key needs --tls-cert")
    }
    do throws(ListenError) {
      return try ListenConfiguration(parsing: listen, tls: tls)
    } catch {
      throw ValidationError("--listen: \(error)")
    }
  }

  private static func hostRules(_ texts: [String]) throws -> HookHostRules {
    var everyClient: [String] = []
    var byClient: [ClientName: [String]] = [:]
    for text in texts {
      guard let sign = text.firstIndex(of: "=") else {
        everyClient.append(text)
        continue
      }
      let client: ClientName
      do throws(NameError) { client = try ClientName(String(text[..<sign])) } catch {
        throw ValidationError("--hook-host \(text): \(error)")
      }
      byClient[client, default: []].append(String(text[text.index(after: sign)...]))
    }
    do throws(HookHostRuleError) {
      return try HookHostRules(everyClient: everyClient, byClient: byClient)
    } catch {
      throw ValidationError("--hook-host: \(error)")
    }
  }

  private static func instant(_ text: String) throws -> Instant {
    guard case .instant(let instant) = InstantText.read(text) else {
      throw ValidationError(
        "--demo-start is a time with its offset, such as 2026-11-27T20:00:00Z, not “\(text)”")
    }
    return instant
  }
}

import AtlasModel
import AtlasWire
import GRPCCore
import GRPCNIOTransportHTTP2

/// One run of a verb against one daemon.
struct Session: Sendable {
  let console: Console
  let options: GlobalOptions
  let destination: Destination
  let daemon: Daemon
  /// The verb that lists what this one takes by name.
  let listVerb: String
  /// What a call may take when ``options`` do not say.
  let usualTimeout: Duration

  /// Connects, runs `body`, and hangs up.
  ///
  /// - Throws: what `body` throws, and ``Failure`` for settings of TLS or of the environment that do
  ///   not work.
  static func open<Result: Sendable>(
    to destination: Destination, options: GlobalOptions, console: Console, listVerb: String,
    _ body: @Sendable (Session) async throws -> Result
  ) async throws -> Result {
    let transport = try transport(to: destination)
    let usualTimeout = try usualTimeout(in: console.environment)
    return try await withGRPCClient(transport: transport, interceptors: [MethodNames()]) { client in
      try await body(
        Session(
          console: console, options: options, destination: destination,
          daemon: Daemon(client), listVerb: listVerb, usualTimeout: usualTimeout))
    }
  }

  private static func usualTimeout(
    in environment: [String: String]
  ) throws(Failure) -> Duration {
    guard let text = environment["ATLAS_TIMEOUT"], !text.isEmpty else {
      return CommandLimits.callTimeout
    }
    guard let timeout = try? Duration(text: text), timeout > .zero else {
      throw .usage("ATLAS_TIMEOUT is “\(text)”", hint: "write 90s, 30m or 1h30m")
    }
    return timeout
  }

  private static func transport(
    to destination: Destination
  ) throws(Failure) -> HTTP2ClientTransport.Posix {
    let pauses = CommandLimits.retryPauses
    do {
      return try HTTP2ClientTransport.Posix(
        target: destination.target, transportSecurity: destination.transportSecurity,
        config: .defaults { config in
          config.http2.authority = destination.security?.serverName
          config.backoff = .init(
            initial: pauses.first, max: pauses.longest, multiplier: 1.6, jitter: 0.2)
        })
    } catch {
      throw Failure(
        .error, "the connection to \(destination.address) cannot be secured",
        details: [String(describing: error)],
        hint: "atlas context show lists the files in use")
    }
  }

  /// How long one call may take, attempts included.
  var callTimeout: Duration { options.timeout?.duration ?? usualTimeout }

  /// Who asks, for the daemon's log.
  var metadata: Metadata {
    let user = console.environment["USER"] ?? console.environment["LOGNAME"] ?? ""
    return user.isEmpty ? [:] : ["atlas-user": .string(user.asciiHeader)]
  }

  /// Where calls are made from, for messages.
  func site(timeout: Duration) -> Failure.CallSite {
    Failure.CallSite(
      address: destination.address.description, timeout: timeout, listVerb: listVerb,
      arguments: console.arguments)
  }

  /// Prints what a verb has to show, in the format asked for.
  ///
  /// - Throws: ``Failure``, or ``OutputClosed``.
  func show(_ presentation: Presentation) throws {
    try console.show(presentation, as: options.output)
  }
}

/// The services of a daemon, over one connection.
struct Daemon: Sendable {
  typealias Transport = HTTP2ClientTransport.Posix

  let campaigns: AtlasV1.CampaignService.Client<Transport>
  let fleet: AtlasV1.FleetService.Client<Transport>
  let safety: AtlasV1.SafetyService.Client<Transport>
  let metrics: AtlasV1.MetricsService.Client<Transport>
  let hooks: AtlasV1.HookService.Client<Transport>
  let audit: AtlasV1.AuditService.Client<Transport>
  let health: GRPCHealthV1.Health.Client<Transport>
  let reflection: GRPCReflectionV1.ServerReflection.Client<Transport>

  init(_ client: GRPCClient<Transport>) {
    campaigns = .init(wrapping: client)
    fleet = .init(wrapping: client)
    safety = .init(wrapping: client)
    metrics = .init(wrapping: client)
    hooks = .init(wrapping: client)
    audit = .init(wrapping: client)
    health = .init(wrapping: client)
    reflection = .init(wrapping: client)
  }
}

extension String {
  /// What may stand in a header field: other characters become “?”.
  fileprivate var asciiHeader: String {
    String(
      String.UnicodeScalarView(unicodeScalars.map { (0x20..<0x7F).contains($0.value) ? $0 : "?" }))
  }
}

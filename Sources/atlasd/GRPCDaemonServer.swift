import AtlasServer
import Foundation
import GRPCCore
import Logging
import ServiceLifecycle

/// The gRPC side of the daemon, as a service of its group.
struct GRPCDaemonServer: Service {
  private let server: APIServer
  private let health = HealthService()
  private let portFile: String?
  private let logger: Logger

  /// - Throws: `ListenError` for what is known to fail: plaintext beyond this host above all.
  init(
    options: DaemonOptions, services: [any RegistrableRPCService], portFile: String?,
    logger: Logger
  ) throws {
    server = try APIServer(
      options.listen, services: services, health: health, interceptors: [PrincipalInterceptor()],
      connections: ConnectionLedger(), calls: CallLedger(), user: Principal.name(in:),
      logger: logger)
    self.portFile = portFile
    self.logger = logger
  }

  /// Serves until the group, or somebody who is in a hurry, ends it.
  func run() async throws {
    // The state was loaded before there was a server.
    health.set(.serving)
    let hurry = StopSignals { [server, logger] in
      logger.warning("asked again to stop: cutting off the calls that still run")
      server.cutOff()
    }
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        try await announce()
        try await group.waitForAll()
      }
    } onGracefulShutdown: {
      logger.info("shutting down")
      hurry.listen()
    }
  }

  /// Says where it listens. Why it does not is for `run` of the server to say.
  private func announce() async throws {
    guard let address = try? await server.address else { return }
    logger.info("serving", metadata: ["address": "\(address)"])
    guard let portFile, let port = address.split(separator: ":").last else { return }
    do {
      try "\(port)\n".write(toFile: portFile, atomically: true, encoding: .utf8)
    } catch {
      throw DaemonError.listen(
        "cannot write the port file \(portFile): \(error.localizedDescription)")
    }
  }
}

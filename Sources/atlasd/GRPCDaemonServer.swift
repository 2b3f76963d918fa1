import AtlasServer
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import Logging
import ServiceLifecycle

/// The gRPC side of the daemon, as a service of its group.
struct GRPCDaemonServer: Service {
  private let server: GRPCServer<HTTP2ServerTransport.Posix>
  private let portFile: String?
  private let logger: Logger

  init(
    options: DaemonOptions, services: [any RegistrableRPCService], portFile: String?,
    logger: Logger
  ) throws {
    let transport = HTTP2ServerTransport.Posix(
      address: .ipv4(host: options.listen.host, port: options.listen.port),
      transportSecurity: .plaintext,
      config: .defaults {
        $0.http2.maxConcurrentStreams = 2_048
      })
    server = GRPCServer(
      transport: transport, services: services, interceptors: [PrincipalInterceptor()])
    self.portFile = portFile
    self.logger = logger
  }

  func run() async throws {
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.serve() }
        if let address = try await server.listeningAddress {
          logger.info("serving", metadata: ["address": "\(address)"])
          if let portFile, let port = address.ipv4?.port {
            try "\(port)\n".write(toFile: portFile, atomically: true, encoding: .utf8)
          }
        }
        try await group.waitForAll()
      }
    } onGracefulShutdown: {
      server.beginGracefulShutdown()
    }
  }
}

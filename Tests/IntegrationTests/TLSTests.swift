import Testing

extension Programs {
  @Suite struct `A daemon with certificates` {
    @Test(.timeLimit(.minutes(10)))
    func `lets in who has one of its authority, and nobody else`() async throws {
      let stage = try Stage(StageFleet(clientNames: ["ALF"]))
      let files = try await Certificates(stage)
      try await stage.startDaemon(options: [
        "--tls-cert", files.path("daemon.pem"), "--tls-key", files.path("daemon.key"),
        "--tls-client-ca", files.path("ca.pem"),
      ])
      try await files.addContext("known", "--certificate", "client.pem", "--key", "client.key")
      try await files.addContext("stranger", "--certificate", "other.pem", "--key", "other.key")
      try await files.addContext("nameless")

      let known = try await files.atlas("status", "--context", "known")
      #expect(known.status == 0, "\(known.errors)")
      for name in ["stranger", "nameless"] {
        let refused = try await files.atlas("status", "--context", name)
        #expect(refused.status == 7, "\(name): \(refused)")
      }
      let plain = try await stage.ask("status")
      #expect(plain.status == 7, "\(plain)")
    }

    @Test(
      .timeLimit(.minutes(10)),
      arguments: [
        (["--listen", "0.0.0.0:0"], "refusing to listen on 0.0.0.0:0 without TLS"),
        (["--listen", "127.0.0.1"], "it is not HOST:PORT"),
        (["--tls-cert", "a.pem"], "--tls-cert needs --tls-key"),
        (["--tls-client-ca", "a.pem"], "--tls-client-ca needs --tls-cert and --tls-key"),
        (
          ["--tls-cert", "/no/a.pem", "--tls-key", "/no/a.key"],
          "cannot read the TLS file /no/a.pem"
        ),
      ])
    func `does not start where it would not be safe`(options: [String], why: String) async throws {
      let stage = try Stage(StageFleet(clientNames: ["ALF"]))
      let daemon = try await stage.run(
        "\(Stage.programs)/atlasd", ["--data-dir", stage.path("data")] + options)
      #expect(daemon.status != 0)
      #expect((daemon.text + daemon.errors).contains(why), "\(daemon)")
    }
  }
}

/// Two authorities and certificates that they signed, made by OpenSSL, and contexts that use them.
private struct Certificates {
  private let stage: Stage

  init(_ stage: Stage) async throws {
    self.stage = stage
    try await authority("ca")
    try await authority("another")
    try await sign("daemon", by: "ca", names: "IP:127.0.0.1")
    try await sign("client", by: "ca", names: "DNS:client")
    try await sign("other", by: "another", names: "DNS:client")
  }

  func path(_ name: String) -> String { stage.path(name) }

  private func authority(_ name: String) async throws {
    try await openssl(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
      "2", "-subj", "/CN=\(name)", "-keyout", path("\(name).key"), "-out", path("\(name).pem"))
  }

  private func sign(_ name: String, by authority: String, names: String) async throws {
    try await openssl(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
      "2", "-subj", "/CN=\(name)", "-addext", "subjectAltName=\(names)", "-addext",
      "basicConstraints=critical,CA:FALSE", "-CA", path("\(authority).pem"), "-CAkey",
      path("\(authority).key"), "-keyout", path("\(name).key"), "-out", path("\(name).pem"))
  }

  private func openssl(_ words: String...) async throws {
    let output = try await stage.run("openssl", words)
    try #require(output.status == 0, "\(output.errors)")
  }

  func addContext(_ name: String, _ options: String...) async throws {
    let files = options.map { $0.hasPrefix("--") ? $0 : path($0) }
    let output = try await run(
      ["context", "set", name, "--address", stage.address, "--ca", path("ca.pem")] + files)
    try #require(output.status == 0, "\(output.errors)")
  }

  func atlas(_ words: String...) async throws -> Stage.Output { try await run(words) }

  private func run(_ words: [String]) async throws -> Stage.Output {
    try await stage.run(
      "/usr/bin/env",
      ["-u", "ATLAS_ADDRESS", "ATLAS_CONFIG=\(path("contexts.yaml"))"]
        + ["\(Stage.programs)/atlas"] + words)
  }
}

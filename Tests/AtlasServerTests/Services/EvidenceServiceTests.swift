import AtlasEvidenceFile
import AtlasWire
import GRPCCore
import Testing

@testable import AtlasServer

@Suite("Evidence over the wire") struct EvidenceServiceTests {
  /// The pieces of a campaign's evidence.
  private func pieces(_ daemon: TestDaemon, _ campaign: String) async throws -> [[UInt8]] {
    try await daemon.campaigns.getEvidence(.init(campaign: campaign)) { responses in
      var pieces: [[UInt8]] = []
      for try await response in responses { pieces.append(response.piece) }
      return pieces
    }
  }

  @Test("is a file in pieces that is signed by the daemon's key and agrees with its records")
  func file() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      _ = try await daemon.campaigns.createCampaign(.init(name: "nov"))
      _ = try await daemon.campaigns.startCampaign(.init(campaign: "nov"))
      for number in 1...200 {
        _ = try await daemon.fleet.pauseClient(
          .init(client: "LAA", reason: "the boss calls for the \(number)th time"))
        _ = try await daemon.fleet.resumeClient(.init(client: "LAA"))
      }
      let pieces = try await pieces(daemon, "nov")
      #expect(pieces.count > 1)
      #expect(pieces.allSatisfy { !$0.isEmpty && $0.count <= 64 * 1024 })
      let key = try await daemon.audit.getEvidenceKey(.init())
      #expect(key.fingerprint == EvidenceKey.fingerprint(of: key.publicKey))
      var verifier = EvidenceVerifier(fingerprint: key.fingerprint)
      for piece in pieces { verifier.take(piece) }
      let verdict = verifier.finish()
      #expect(verifier.problems == [])
      #expect(verdict?.header.campaign == "nov")
      #expect(verdict?.header.author == "anonymous")
      #expect(verdict?.header.clients == 2)
      #expect(verdict?.header.servers == 3)
      // Made, started, and two for each pause.
      #expect(verdict?.decisions == 402)
      #expect((verdict?.header.records ?? 0) >= 402)
    }
  }

  @Test("is refused for what is not there, has no name, or has not started")
  func refused() async throws {
    try await TestDaemon.run { daemon in
      try await daemon.importFleet()
      _ = try await daemon.campaigns.createCampaign(.init(name: "nov"))
      for (name, code) in [
        ("", RPCError.Code.invalidArgument), ("dec", .notFound), ("nov", .failedPrecondition),
      ] {
        let error = await #expect(throws: RPCError.self) { try await pieces(daemon, name) }
        #expect(error?.code == code)
      }
    }
  }
}

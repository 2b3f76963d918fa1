import Testing

@testable import atlas_sim

@Suite("Seeds that are played")
struct PlayedSeedsTests {
  @Test("are told by a program that stops itself: by its number")
  func tells() async throws {
    let result = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      PlayedSeeds.watch()
      PlayedSeeds.play(1, job: 0) {}
      PlayedSeeds.play(1_234_567_890_123, job: 1) { preconditionFailure("on purpose") }
    }
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text.contains("seed 1234567890123: the program has stopped itself\n"))
    #expect(!text.contains("seed 1\n"))
  }
}

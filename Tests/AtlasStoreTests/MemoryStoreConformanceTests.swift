import AtlasStore
import AtlasTestKit
import Testing

struct MemoryStoreConformanceTests {
  @Test(arguments: StoreConformance.checks)
  func `a memory store keeps the promises of a store`(check: StoreCheck) async throws {
    try await check.run(in: MemoryStorePlace())
  }

  @Test(arguments: 1...UInt64(5))
  func `a memory store does what its contents would do alone`(seed: UInt64) async throws {
    try await StoreConformance.compareWithModel(in: MemoryStorePlace(), seed: seed, steps: 200)
  }
}

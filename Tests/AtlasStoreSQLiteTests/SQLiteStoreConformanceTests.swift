import AtlasStore
import AtlasStoreSQLite
import AtlasTestKit
import Testing

struct SQLiteStoreConformanceTests {
  @Test(arguments: StoreConformance.checks)
  func `a SQLite store keeps the promises of a store`(check: StoreCheck) async throws {
    try await check.run(in: SQLiteStorePlace())
  }

  @Test(arguments: 1...UInt64(8))
  func `a SQLite store does what the memory store would do`(seed: UInt64) async throws {
    try await StoreConformance.compareWithModel(in: SQLiteStorePlace(), seed: seed, steps: 250)
  }
}

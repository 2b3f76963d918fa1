internal import CWireFixtures

/// What `Tests/AtlasWireTests/Fixtures/proto` compiles to.
enum Fixtures {
  /// The serialized descriptor set of the fixtures and their imports.
  static let descriptorSet: [UInt8] = {
    var count = 0
    let base = fixtures_descriptor_set(&count)
    return Array(UnsafeBufferPointer(start: base, count: count))
  }()
}

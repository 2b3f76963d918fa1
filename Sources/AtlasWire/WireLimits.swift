/// How much a message may cost. One value for both directions of trust: what peers send, what
/// people type.
package struct WireLimits: Sendable, Hashable {
  /// The largest encoded message that is decoded, in bytes.
  package var messageBytes: Int

  /// How many bytes of memory one byte of input may cost while it is decoded.
  package var memoryPerByte: Int

  /// What decoding may cost whatever the size of the input, in bytes.
  package var memoryBase: Int

  /// The largest JSON document that is parsed, in bytes.
  package var jsonBytes: Int

  /// How deep arrays and objects of a JSON document may nest.
  package var jsonDepth: Int

  /// The limits that hold unless a caller has a reason for others.
  ///
  /// - `messageBytes` 256 KiB: the largest page of any list fits several times; a thousand agents
  ///   that send as much as they may at once cost 256 MB, not gigabytes.
  /// - `memoryPerByte` 32: what real messages cost is 4 to 8. The dearest honest shape is a list of
  ///   very short strings (three bytes on the wire; 16 for its place in the C array, 8 for its
  ///   bytes, up to 80 for libprotobuf-c's notes about the field). A list of empty messages, the
  ///   cheapest attack, costs 100 and more a byte and is refused.
  /// - `memoryBase` 64 KiB: small messages never meet the factor.
  /// - `jsonBytes` 1 MiB: the JSON of a message of 256 KiB.
  /// - `jsonDepth` 64: the deepest message here has fewer than ten levels; the parser and the
  ///   decoder recurse once a level.
  package static let standard = WireLimits(
    messageBytes: 256 * 1024, memoryPerByte: 32, memoryBase: 64 * 1024, jsonBytes: 1024 * 1024,
    jsonDepth: 64)

  /// The memory that decoding `count` bytes may take.
  func memoryBudget(for count: Int) -> Int { memoryBase + count * memoryPerByte }
}

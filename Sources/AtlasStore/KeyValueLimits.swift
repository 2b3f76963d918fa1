/// How much the hooks of one client may store, with the reasons.
package enum KeyValueLimits {
  /// A few facts per server and hook is what the store is for; more is a leak in a script.
  package static let keys = 1_000
  /// A key is a short name, and part of an index.
  package static let keyBytes = 512
  /// What a hook could read from an HTTP body or a command and remember whole.
  package static let valueBytes = 64 * 1_024
  /// Keys and values of one client together, so that a thousand clients cannot fill a disk.
  package static let clientBytes = 4 * 1_024 * 1_024
}

/// What one client has stored, for its limits.
package struct KeyValueUsage: Hashable, Sendable {
  package var keys: Int
  /// Bytes of all keys and values.
  package var bytes: Int

  package init(keys: Int = 0, bytes: Int = 0) {
    self.keys = keys
    self.bytes = bytes
  }

  /// The usage after the value of `key` changes: `old` and `new` are the sizes of its values in
  /// bytes, nil for none. Becoming smaller is always allowed.
  /// - Throws: ``StoreError/full(_:)`` saying which limit would be exceeded.
  package func replacing(
    _ old: Int?, with new: Int?, key: String
  ) throws(StoreError) -> KeyValueUsage {
    let keySize = key.utf8.count
    var usage = self
    if let old {
      usage.keys -= 1
      usage.bytes -= keySize + old
    }
    guard let new else { return usage }
    usage.keys += 1
    usage.bytes += keySize + new
    try Self.check(keySize, KeyValueLimits.keyBytes, "bytes in a key")
    try Self.check(new, KeyValueLimits.valueBytes, "bytes in a value")
    if usage.keys > keys { try Self.check(usage.keys, KeyValueLimits.keys, "keys of a client") }
    if usage.bytes > bytes {
      try Self.check(usage.bytes, KeyValueLimits.clientBytes, "bytes of a client")
    }
    return usage
  }

  private static func check(_ size: Int, _ limit: Int, _ what: String) throws(StoreError) {
    guard size <= limit else { throw .full("\(size) \(what); the limit is \(limit)") }
  }
}

import AtlasModel

// Rules that every store applies in the same way.

extension Limits {
  /// How many rows a page has when `limit` of them are asked for.
  package static func pageSize(_ limit: Int) -> Int { max(0, min(limit, page)) }
}

extension RecordFilter {
  /// Whether something about these three is wanted. Names are compared byte for byte.
  package func matches(campaign: String, client: String, server: String) -> Bool {
    Self.matches(self.campaign, campaign) && Self.matches(self.client, client)
      && Self.matches(self.server, server)
  }

  private static func matches(_ wanted: String?, _ name: String) -> Bool {
    guard let wanted else { return true }
    // Texts of the same bytes are equal; most others are told apart by the quicker comparison.
    return wanted == name && wanted.utf8.elementsEqual(name.utf8)
  }
}

extension KeyValueCondition {
  /// Whether a value may be written over `present`, nil for none.
  package func holds(for present: [UInt8]?) -> Bool {
    switch self {
    case .always: true
    case .absent: present == nil
    case .equals(let expected): present == expected
    }
  }
}

import AtlasModel

/// What is different between two policies, setting by setting.
package struct SettingChange: Hashable, Sendable {
  /// As ``PolicyDocument/settings(of:)`` writes it.
  package var key: String
  /// Nil for all clients.
  package var client: ClientName?
  /// Nil where nothing was set.
  package var before: String?
  /// Nil where nothing is set any more.
  package var after: String?

  package init(key: String, client: ClientName? = nil, before: String?, after: String?) {
    self.key = key
    self.client = client
    self.before = before
    self.after = after
  }

  /// `max_in_progress: 50 → 20`, `LAA: max_retries: (not set) → 0`.
  package var text: String {
    let owner = client.map { "\($0): " } ?? ""
    return "\(owner)\(key): \(before ?? Self.unset) → \(after ?? Self.unset)"
  }

  private static let unset = "(not set)"
}

extension PolicyDocument {
  /// Every setting that differs, those of the whole campaign first, then by client.
  /// - Parameter overrides: Whole policies of clients that have their own; only what differs there
  ///   from the campaign's counts as theirs.
  package static func changes(
    from before: (policy: Policy, overrides: [ClientName: Policy]),
    to after: (policy: Policy, overrides: [ClientName: Policy])
  ) -> [SettingChange] {
    let old = settings(of: before.policy)
    let new = settings(of: after.policy)
    var changes = differences(nil, old, new)
    for client in Set(before.overrides.keys).union(after.overrides.keys).sorted() {
      changes += differences(
        client, own(before.overrides[client], beside: old),
        own(after.overrides[client], beside: new))
    }
    return changes
  }

  private typealias Settings = [(key: String, value: String)]

  /// What a client's policy says otherwise than the campaign's.
  private static func own(_ policy: Policy?, beside common: Settings) -> Settings {
    guard let policy else { return [] }
    let values = Dictionary(common.map { ($0.key, $0.value) }) { first, _ in first }
    return settings(of: policy).filter { values[$0.key] != $0.value }
  }

  private static func differences(
    _ client: ClientName?, _ old: Settings, _ new: Settings
  ) -> [SettingChange] {
    let before = Dictionary(old.map { ($0.key, $0.value) }) { first, _ in first }
    let after = Dictionary(new.map { ($0.key, $0.value) }) { first, _ in first }
    let keys = old.map(\.key) + new.map(\.key).filter { before[$0] == nil }
    return keys.compactMap { key in
      guard before[key] != after[key] else { return nil }
      return SettingChange(key: key, client: client, before: before[key], after: after[key])
    }
  }
}

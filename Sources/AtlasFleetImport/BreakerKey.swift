import AtlasModel

/// One of the settings below `breakers:`, by its path there.
struct BreakerKey: Sendable {
  /// `campaign.success_rate` for `breakers: {campaign: {success_rate: 80%}}`.
  let name: String
  let about: String
  let set: @Sendable (inout Breakers, String) throws(ValueError) -> Void
  let text: @Sendable (Breakers) -> String

  static let group = "breakers"
  /// What stands for no breaker at all.
  static let off = "off"

  static let all: [BreakerKey] = [
    number(
      "max_failed_per_client", \.maxFailedPerClient,
      "as many failed or held servers of a client hold its lane"),
    BreakerKey(
      name: "campaign.success_rate",
      about: "below it, among the servers attempted last, the campaign pauses",
      set: { breakers, text throws(ValueError) in
        breakers.successRate = isOff(text) ? nil : try Values.percent(text)
        guard breakers.successRate != 0 else {
          throw ValueError(
            message: "\(text) stops nothing: no rate is below it",
            hint: "write a share above 0%, or off")
        }
      },
      text: { $0.successRate.map { "\($0)%" } ?? off }),
    BreakerKey(
      name: "campaign.sample", about: "how many servers attempted last are looked at",
      set: { breakers, text throws(ValueError) in
        breakers.sample = try Values.int(text, in: 1...Limits.breakerSample)
      },
      text: { "\($0.sample)" }),
    number(
      "signature.clients", \.signatureClients,
      "as many clients that fail alike hold the role and system in the whole campaign"),
    number(
      "source.clients", \.sourceClients,
      "as many clients in a row whose update source is silent let the campaign wait for it"),
    number(
      "source.servers", \.sourceServers,
      "as many servers of a client in a row whose update source is silent let its lane wait"),
  ]

  private static func number(
    _ name: String, _ path: WritableKeyPath<Breakers, Int?> & Sendable, _ about: String
  ) -> BreakerKey {
    BreakerKey(
      name: name, about: about,
      set: { breakers, text throws(ValueError) in
        breakers[keyPath: path] = isOff(text) ? nil : try Values.int(text, in: 1...100)
      },
      text: { $0[keyPath: path].map(String.init) ?? off })
  }

  static func isOff(_ text: String) -> Bool {
    text == off || text == PolicyKey.unlimited
  }

  /// `campaign: {success_rate: 80%, sample: 20}`, or how the whole group is turned off.
  static func example(of group: String, isOff: Bool) -> String {
    let parts = all.filter { $0.name.hasPrefix(group + ".") }.compactMap { key -> String? in
      var breakers = Breakers()
      // A number of servers that are looked at cannot be off.
      if isOff, (try? key.set(&breakers, off)) == nil { return nil }
      return "\(key.name.dropFirst(group.count + 1)): \(isOff ? off : key.text(breakers))"
    }
    return "\(group): {\(parts.joined(separator: ", "))}"
  }

  /// The key in lists of settings: `breakers.signature.clients`.
  var key: String { "\(Self.group).\(name)" }
}

// MARK: - Reading

extension PolicyReader {
  /// `{max_failed_per_client: 2, campaign: {success_rate: 80%, sample: 20}}`.
  mutating func readBreakers(_ node: SourceNode, below path: String = "") {
    for entry in breakers(node, path) ?? [] {
      let name = path + entry.key
      if let key = BreakerKey.all.first(where: { $0.name == name }) {
        readBreaker(key, entry)
      } else if BreakerKey.all.contains(where: { $0.name.hasPrefix(name + ".") }) {
        readBreakers(entry.value, below: name + ".")
      } else {
        let known = BreakerKey.all.map(\.name)
        refuse(
          entry.line, "\(BreakerKey.group).\(name)", "there is no breaker “\(name)”",
          hint: Spelling.nearest(to: name, among: known).map { "did you mean \($0)?" }
            ?? "known: \(known.joined(separator: ", "))")
      }
    }
  }

  /// A group is easily taken for a breaker: `campaign: off` does not say which of its keys it means.
  private mutating func breakers(
    _ node: SourceNode, _ path: String
  ) -> [SourceNode.Entry]? {
    if path.isEmpty || node.isNull || node.entries != nil { return group(node, BreakerKey.group) }
    let name = String(path.dropLast())
    refuse(
      node, "\(BreakerKey.group).\(name)", "\(node.description) is no group of keys",
      hint: "write "
        + BreakerKey.example(of: name, isOff: node.scalar.map(BreakerKey.isOff) ?? false))
    return nil
  }

  private mutating func readBreaker(_ key: BreakerKey, _ entry: SourceNode.Entry) {
    guard let text = text(entry.value, key.key) else { return }
    var breakers = draft.policy.breakers
    attempt(entry.value.line, key.key) { () throws(ValueError) in try key.set(&breakers, text) }
    draft.policy.breakers = breakers
    draft.note(key.key, at: Place(file: 0, line: entry.line))
  }

  /// `{SAN-LYON-1: 4, backup-proxy: 2}`: what servers share, and how many may use it at once.
  mutating func readResources(_ node: SourceNode) {
    for entry in group(node, ResourceLimit.group) ?? [] {
      let key = "\(ResourceLimit.group).\(entry.key)"
      guard let text = text(entry.value, key) else { continue }
      if text == PolicyKey.unlimited, let name = try? ResourceName(entry.key) {
        draft.policy.resources.removeAll { $0.name == name }
        draft.note(key, at: Place(file: 0, line: entry.line))
        continue
      }
      let limit = attempt(entry.line, key) { () throws(ValueError) -> ResourceLimit in
        ResourceLimit(
          name: try Values.name(entry.key), limit: try Values.int(text, in: 1...Limits.servers))
      }
      guard let limit else { continue }
      warn(about: limit.name, entry.line, key)
      draft.policy.resources.removeAll { $0.name == limit.name }
      draft.policy.resources.append(limit)
      draft.policy.resources.sort { $0.name < $1.name }
      draft.note(key, at: Place(file: 0, line: entry.line))
    }
    guard draft.policy.resources.count > Limits.resources else { return }
    refuse(
      node.line, ResourceLimit.group, "\(draft.policy.resources.count) resources are limited",
      hint: "at most \(Limits.resources)")
  }
}

extension ResourceLimit {
  static let group = "resources"
}

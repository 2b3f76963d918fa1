import AtlasModel

/// What there is in a fleet that a policy may name.
package struct FleetNames: Sendable {
  package var clients: Set<ClientName>
  package var roles: Set<Role>
  package var resources: Set<ResourceName>
  /// Rings that have a client; nil for any.
  package var rings: Set<Ring>?

  package init(
    clients: Set<ClientName>, roles: Set<Role> = [], resources: Set<ResourceName> = [],
    rings: Set<Ring>? = nil
  ) {
    self.rings = rings
    self.clients = clients
    self.roles = roles
    self.resources = resources
  }
}

/// Reads and writes the settings of a campaign as people keep them: a YAML file with the keys of
/// the engine's description, where a client may have its own.
package enum PolicyDocument {
  /// What a policy file says.
  package struct Reading: Sendable {
    /// The campaign's settings: the defaults with what the file says.
    package let policy: Policy
    /// Complete settings of the clients that have their own: the campaign's with their changes.
    package let clientOverrides: [ClientName: Policy]
    /// In order of line.
    package let diagnostics: [ImportDiagnostic]
    /// Keys that the file sets, as ``settings(of:)`` writes them; sorted.
    package let explicitKeys: [String]
    /// Keys that the file sets for a client; sorted.
    package let clientExplicitKeys: [ClientName: [String]]
    /// A policy with an error must not be used.
    package let hasErrors: Bool
  }

  /// Reads a policy file over `defaults`. Every error is listed; an empty file is the defaults.
  ///
  /// - Parameter overrides: Whole policies of clients that have their own already: what is theirs stays
  ///   theirs, and everything else becomes what the file says.
  /// - Parameter names: What there is in the fleet: a client that is not among it is an error, a role
  ///   or a resource a warning, because such a setting does nothing. Nil for any.
  /// - Parameter now: Windows that never open after it are an error; nil for any.
  package static func read(
    _ document: SourceDocument, over defaults: Policy = Policy(),
    overrides: [ClientName: Policy] = [:], names: FleetNames? = nil, now: Instant? = nil
  ) -> Reading {
    var reader = PolicyReader(
      file: document.name, over: defaults, overrides: overrides, names: names, now: now)
    do {
      reader.read(try tree(document.bytes))
    } catch {
      reader.refuse(error)
    }
    return Reading(
      policy: reader.draft.finished(),
      clientOverrides: reader.clients.mapValues { $0.finished() },
      diagnostics: reader.diagnostics.diagnostics(),
      explicitKeys: reader.draft.explicit.sorted(),
      clientExplicitKeys: reader.clients.mapValues { $0.explicit.sorted() },
      hasErrors: reader.diagnostics.hasErrors)
  }

  private static func tree(_ bytes: [UInt8]) throws(SourceError) -> SourceNode {
    let isJSON = bytes.first { $0 > 0x20 && $0 < 0x80 } == UInt8(ascii: "{")
    return isJSON ? try JSONReader.read(bytes) : try YAMLReader.read(bytes)
  }

  /// Every setting in effect, by its dotted key: `max_retries`, `estimates.SQL`,
  /// `gates.0.success_rate`.
  ///
  /// Roles are listed where they differ from what is common. Gates are listed behind rings 0 to 2,
  /// and behind a higher ring where they differ from the gate below.
  package static func settings(of policy: Policy) -> [(key: String, value: String)] {
    var settings = PolicyKey.all.map { (key: $0.name, value: $0.text(policy)) }
    for key in TimeKey.all where key.group != nil {
      settings.append((key.campaignKey, policy.times[keyPath: key.path].text))
    }
    for role in policy.roleTimes.sorted(by: { $0.role < $1.role }) {
      for key in TimeKey.all where role.times[keyPath: key.path] != policy.times[keyPath: key.path]
      {
        settings.append((key.key(of: role.role), role.times[keyPath: key.path].text))
      }
    }
    settings += BreakerKey.all.map { ($0.key, $0.text(policy.breakers)) }
    settings += policy.resources.map { ("\(ResourceLimit.group).\($0.name)", "\($0.limit)") }
    settings.append(("rollback.default", policy.rollback.rawValue))
    for role in policy.roleRollback.sorted(by: { $0.role < $1.role }) {
      settings.append(("rollback.\(role.role)", role.means.rawValue))
    }
    var below: [String] = []
    for ring in Ring.gated {
      let texts = GateKey.all.map { $0.text(policy.gate(after: ring)) }
      if ring <= .standard || texts != below {
        for (key, text) in zip(GateKey.all, texts) {
          settings.append(("gates.\(ring).\(key.name)", text))
        }
      }
      below = texts
    }
    return settings
  }
}

// MARK: - Writing

extension PolicyDocument {
  /// A policy file with every setting, each with a word about what it means. It reads back as
  /// `policy`, unless that lacks roles of ``Policy/defaultRoleRollback``.
  package static func template(_ policy: Policy = Policy()) -> String {
    var lines = ["# The settings of a campaign. Leave out what should be as usual."]
    for key in PolicyKey.all {
      lines.append("")
      lines.append("# \(key.about)")
      lines.append("\(key.name): \(key.text(policy))")
    }
    lines += ["", "# how long things may take; the phases that have a limit of their own"]
    lines.append("\(TimeKey.phaseGroup):")
    lines += TimeKey.phases.map { "  \($0.name): \(policy.times[keyPath: $0.path].text)" }
    lines += ["", "# how long a server is expected to take, for fitting it into its window"]
    lines += ["estimates:", "  default: \(policy.times.estimate.text)"]
    lines += roleLines(policy)
    let means = RollbackMeans.allCases.map(\.rawValue).joined(separator: ", ")
    lines += ["", "# how a failed server is brought back, also by role: \(means)"]
    lines += ["rollback:", "  default: \(policy.rollback.rawValue)"]
    lines += policy.roleRollback.map { "  \(YAMLText.scalar($0.role.text)): \($0.means.rawValue)" }
    lines += breakerLines(policy.breakers) + resourceLines(policy.resources)
    lines += ["", "# what opens the ring behind each ring", "gates:"]
    lines += gateLines(policy)
    return lines.joined(separator: "\n") + "\n"
  }

  private static func roleLines(_ policy: Policy) -> [String] {
    guard !policy.roleTimes.isEmpty else { return [] }
    var lines = ["", "# what takes longer on servers with a role", "roles:"]
    for role in policy.roleTimes {
      lines.append("  \(YAMLText.scalar(role.role.text)):")
      for key in TimeKey.all where key.group != TimeKey.phaseGroup {
        lines.append("    \(key.name): \(role.times[keyPath: key.path].text)")
      }
      lines.append("    \(TimeKey.phaseGroup):")
      lines += TimeKey.phases.map { "      \($0.name): \(role.times[keyPath: $0.path].text)" }
    }
    return lines
  }

  private static func breakerLines(_ breakers: Breakers) -> [String] {
    var lines = ["", "# what stops by itself when servers fail", "\(BreakerKey.group):"]
    var group: Substring = ""
    for key in BreakerKey.all {
      let parts = key.name.split(separator: ".")
      if parts.count > 1, parts[0] != group { lines.append("  \(parts[0]):") }
      group = parts.count > 1 ? parts[0] : ""
      let indent = parts.count > 1 ? "    " : "  "
      lines.append("\(indent)\(parts[parts.count - 1]): \(key.text(breakers))")
    }
    return lines
  }

  private static func resourceLines(_ resources: [ResourceLimit]) -> [String] {
    guard !resources.isEmpty else { return [] }
    return ["", "# how many servers may use what they share", "\(ResourceLimit.group):"]
      + resources.map { "  \(YAMLText.scalar($0.name.text)): \($0.limit)" }
  }

  private static func gateLines(_ policy: Policy) -> [String] {
    let usual = [Ring.canary, .pilot, .standard].filter { ring in
      !policy.gates.contains { $0.ring == ring }
    }
    let gates = (policy.gates.filter { $0.ring < .last } + usual.map(Policy.defaultGate))
      .sorted { $0.ring < $1.ring }
    return gates.flatMap { gate in
      ["  - ring: \(gate.ring)"] + GateKey.all.map { "    \($0.name): \($0.text(gate))" }
    }
  }
}

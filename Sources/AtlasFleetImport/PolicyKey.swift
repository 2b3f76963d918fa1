import AtlasCalendar
import AtlasModel

/// One setting of a policy that is a single value: its name in files, how it is read, and how it
/// is written.
struct PolicyKey: Sendable {
  let name: String
  /// Said in templates, and nowhere else.
  let about: String
  /// Whether a client may have its own value inside a campaign.
  let isForClients: Bool
  let set: @Sendable (inout Policy, String) throws(ValueError) -> Void
  let text: @Sendable (Policy) -> String

  /// In the order in which people should meet them.
  static let all: [PolicyKey] = [
    int("max_retries", \.maxRetries, 0...10, "retries without a person asking"),
    duration("retry_backoff", \.retryBackoff, 1...day, "before the first retry; doubles"),
    int("max_passes", \.maxPasses, 1...20, "rounds of update and reboot in one attempt"),
    bool("auto_rollback", \.autoRollback, "undo a failed update without a person"),
    choice("on_failure", \.onFailure, "what a failed server does to its lane once it is healthy"),
    duration("check_interval", \.checkInterval, 1...3_600, "how often polling agents ask"),
    duration(
      "client_lock_timeout", \.clientLockTimeout, 2...week,
      "silence after which a server in progress is lost"),
    duration(
      "offline_grace", \.offlineGrace, 0...week, "how long a server may be absent at its turn"),
    time("update_timeout"), time("reboot_timeout"), time("no_progress_timeout"),
    duration("rollback_reserve", \.rollbackReserve, 0...day, "kept free before a window ends"),
    duration(
      "snapshot_retention", \.snapshotRetention, 0...month,
      "how long the snapshot of a completed server is kept, for a rollback campaign"),
    duration("server_soak", \.serverSoak, 0...week, "watching a healthy server before it counts"),
    duration("defer_limit", \.deferLimit, 0...week, "all deferrals of a server together"),
    duration("cancel_grace", \.cancelGrace, 1...3_600, "how long a cancelled hook may take to end"),
    choice("pending_reboot", \.pendingReboot, "a reboot that was due before Atlas came"),
    choice("download", \.download, "when updates are fetched"),
    peerCheck,
    cap("max_in_progress", \.maxInProgress, 1...Limits.servers, "servers at once, all clients"),
    cap("max_active_clients", \.maxActiveClients, 1...Limits.clients, "clients at once"),
    cap(
      "max_starts_per_minute", \.maxStartsPerMinute, 1...1_000_000,
      "how fast servers start, and what was parked goes on"),
    cap(
      "max_parallel_servers", \.maxParallelServers, 1...Limits.slotsPerClient,
      "tightens every client's own number", isForClients: true),
    cap(
      "per_site", \.perSite, 1...Limits.slotsPerClient, "servers at once at one site of a client",
      isForClients: true),
    minAvailable,
    backupAge,
    agentVersion,
    windows,
    bool("require_backup", \.requireBackup, "also of clients that do not ask for it"),
    bool("create_snapshots", \.createSnapshots, "also of clients that do not ask for them"),
    cap(
      "max_waiting_for_people", \.maxWaitingForPeople, 0...Limits.servers,
      "starts nothing while as many servers are down and wait for a decision; 0 counts as 1"),
    bool("carry_over", \.carryOver, "postpone what is left at the end", isForClients: false),
  ]

  static let byName = Dictionary(
    all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

  /// Whether `name` belongs into a policy, for hints about keys in the wrong file.
  static func isKnown(_ name: String) -> Bool {
    byName[name] != nil || PolicyReader.groups.contains(name)
  }

  /// What stands for no cap at all.
  static let unlimited = "unlimited"

  private static let day = 86_400
  private static let week = 7 * 86_400
  private static let month = 30 * 86_400
}

// MARK: - Kinds of settings

extension PolicyKey {
  private static func int(
    _ name: String, _ path: WritableKeyPath<Policy, Int> & Sendable, _ range: ClosedRange<Int>,
    _ about: String
  ) -> PolicyKey {
    PolicyKey(
      name: name, about: about, isForClients: true,
      set: { policy, text throws(ValueError) in
        policy[keyPath: path] = try Values.int(text, in: range)
      },
      text: { "\($0[keyPath: path])" })
  }

  /// `range` in seconds.
  private static func duration(
    _ name: String, _ path: WritableKeyPath<Policy, Duration> & Sendable,
    _ range: ClosedRange<Int>, _ about: String
  ) -> PolicyKey {
    let range = Duration.seconds(range.lowerBound)...Duration.seconds(range.upperBound)
    return PolicyKey(
      name: name, about: about, isForClients: true,
      set: { policy, text throws(ValueError) in
        policy[keyPath: path] = try Values.duration(text, in: range)
      },
      text: { $0[keyPath: path].text })
  }

  private static func time(_ name: String) -> PolicyKey {
    let key = TimeKey.all.first { $0.name == name } ?? TimeKey.all[0]
    return PolicyKey(
      name: name, about: key.about, isForClients: true,
      set: { policy, text throws(ValueError) in
        policy.times[keyPath: key.path] = try key.read(text)
      },
      text: { $0.times[keyPath: key.path].text })
  }

  private static func bool(
    _ name: String, _ path: WritableKeyPath<Policy, Bool> & Sendable, _ about: String,
    isForClients: Bool = true
  ) -> PolicyKey {
    PolicyKey(
      name: name, about: about, isForClients: isForClients,
      set: { policy, text throws(ValueError) in policy[keyPath: path] = try Values.bool(text) },
      text: { "\($0[keyPath: path])" })
  }

  private static func choice<Choice: RawRepresentable & CaseIterable & Sendable>(
    _ name: String, _ path: WritableKeyPath<Policy, Choice> & Sendable, _ about: String
  ) -> PolicyKey where Choice.RawValue == String {
    let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    return PolicyKey(
      name: name, about: "\(about): \(choices)", isForClients: true,
      set: { policy, text throws(ValueError) in policy[keyPath: path] = try Values.choice(text) },
      text: { $0[keyPath: path].rawValue })
  }

  /// A number, or no limit.
  private static func cap(
    _ name: String, _ path: WritableKeyPath<Policy, Int?> & Sendable, _ range: ClosedRange<Int>,
    _ about: String, isForClients: Bool = false
  ) -> PolicyKey {
    PolicyKey(
      name: name, about: about, isForClients: isForClients,
      set: { policy, text throws(ValueError) in
        policy[keyPath: path] = text == unlimited ? nil : try Values.int(text, in: range)
      },
      text: { $0[keyPath: path].map(String.init) ?? unlimited })
  }

  static let peerCheckName = "peer_check"

  private static let peerCheck = PolicyKey(
    name: peerCheckName,
    about: "roles whose servers, as all members of groups, start only while their peers are well",
    isForClients: true,
    set: { policy, text throws(ValueError) in
      policy.peerCheck = text == unlimited || text == noRole ? [] : try ServerTable.roles(text)
    },
    text: { $0.peerCheck.isEmpty ? noRole : $0.peerCheck.map(\.text).joined(separator: ", ") })

  private static let noRole = "none"

  private static let agentVersion = PolicyKey(
    name: "min_agent_version", about: "servers with an older agent are not begun",
    isForClients: true,
    set: { policy, text throws(ValueError) in
      guard text != anyVersion else { return policy.minAgentVersion = nil }
      guard let version = AgentVersion(text) else {
        throw ValueError(
          message: "“\(text)” is not a version of the agent",
          hint: "write numbers with dots between them, such as 1.4.2, or any")
      }
      policy.minAgentVersion = version
    },
    text: { $0.minAgentVersion?.text ?? anyVersion })

  private static let anyVersion = "any"

  static let windowsName = "windows"

  private static let windows = PolicyKey(
    name: windowsName, about: "narrows every client's own windows, in the client's zone",
    isForClients: false,
    set: { policy, text throws(ValueError) in
      guard text != unlimited else { return policy.windows = nil }
      do throws(WindowError) {
        _ = try WindowRule(parsing: text, zone: "UTC")
      } catch {
        throw ValueError(message: error.message, hint: error.hint)
      }
      policy.windows = MaintenanceWindow(rule: text)
    },
    text: { $0.windows?.rule ?? unlimited })

  private static let minAvailable = PolicyKey(
    name: "min_available",
    about: "of a client's servers of one role, the share left alone; one may always go",
    isForClients: true,
    set: { policy, text throws(ValueError) in
      policy.minAvailable = text == unlimited ? nil : try Values.percent(text)
    },
    text: { $0.minAvailable.map { "\($0)%" } ?? unlimited })

  private static let backupAge = PolicyKey(
    name: "max_backup_age", about: "tightens every client's own limit", isForClients: true,
    set: { policy, text throws(ValueError) in
      policy.maxBackupAge = text == unlimited ? nil : try Values.backupAge(text)
    },
    text: { $0.maxBackupAge?.text ?? unlimited })
}

/// One of the times that a server's role may lengthen or shorten.
struct TimeKey: Sendable {
  /// Inside `roles:`; for the whole campaign it stands at the top or in its ``group``.
  let name: String
  let path: WritableKeyPath<PhaseTimes, Duration> & Sendable
  let group: String?
  let about: String

  static let all: [TimeKey] = [
    TimeKey(name: "estimate", path: \.estimate, group: "estimates", about: "from slot to slot"),
    TimeKey(name: "update_timeout", path: \.update, group: nil, about: "longest installation"),
    TimeKey(name: "reboot_timeout", path: \.reboot, group: nil, about: "longest reboot"),
    TimeKey(
      name: "no_progress_timeout", path: \.noProgress, group: nil,
      about: "an installer silent for this long is worth a look"),
    phase("download", \.download), phase("pre_check", \.preCheck), phase("snapshot", \.snapshot),
    phase("post_check", \.postCheck), phase("rollback", \.rollback), phase("finalize", \.finalize),
  ]

  static let phases = all.filter { $0.group == phaseGroup }
  static let phaseGroup = "phase_timeouts"

  private static func phase(
    _ name: String, _ path: WritableKeyPath<PhaseTimes, Duration> & Sendable
  ) -> TimeKey {
    TimeKey(name: name, path: path, group: phaseGroup, about: "longest \(name)")
  }

  /// The key of the setting for the whole campaign: `estimates.default`, `phase_timeouts.snapshot`.
  var campaignKey: String {
    switch group {
    case nil: name
    case Self.phaseGroup: "\(Self.phaseGroup).\(name)"
    case .some: "estimates.default"
    }
  }

  /// The key of the setting for a role: `estimates.SQL`, `roles.SQL.update_timeout`.
  func key(of role: Role) -> String {
    switch group {
    case nil: "roles.\(role).\(name)"
    case Self.phaseGroup: "roles.\(role).\(Self.phaseGroup).\(name)"
    case .some: "estimates.\(role)"
    }
  }

  func read(_ text: String) throws(ValueError) -> Duration {
    try Values.duration(text, in: .seconds(1)...(.seconds(7 * 86_400)))
  }
}

/// One of the settings of a gate.
struct GateKey: Sendable {
  let name: String
  let set: @Sendable (inout RingGate, String) throws(ValueError) -> Void
  let text: @Sendable (RingGate) -> String

  static let all: [GateKey] = [
    GateKey(
      name: "open_after",
      set: { gate, text throws(ValueError) in gate.openAfter = try Values.choice(text) },
      text: { $0.openAfter.rawValue }),
    GateKey(
      name: "min_completed",
      set: { gate, text throws(ValueError) in
        gate.minCompleted = try Values.int(text, in: 0...Limits.servers)
      },
      text: { "\($0.minCompleted)" }),
    GateKey(
      name: "success_rate",
      set: { gate, text throws(ValueError) in gate.successRate = try Values.percent(text) },
      text: { "\($0.successRate)%" }),
    GateKey(
      name: "max_failed",
      set: { gate, text throws(ValueError) in
        gate.maxFailed = try Values.int(text, in: 0...Limits.servers)
      },
      text: { "\($0.maxFailed)" }),
    GateKey(
      name: "gate_soak",
      set: { gate, text throws(ValueError) in
        gate.gateSoak = try Values.duration(text, in: .zero...(.seconds(7 * 86_400)))
      },
      text: { $0.gateSoak.text }),
    GateKey(
      name: "approval",
      set: { gate, text throws(ValueError) in gate.approval = try Values.choice(text) },
      text: { $0.approval.rawValue }),
    GateKey(
      name: "representative",
      set: { gate, text throws(ValueError) in gate.representative = try Values.bool(text) },
      text: { "\($0.representative)" }),
  ]
}

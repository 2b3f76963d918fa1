/// What can be wrong with a simulated server. Names are those of a scenario file.
package enum FailureKind: String, CaseIterable, Codable, Hashable, Sendable {
  // While installing
  /// The first attempt fails and says that another may help; the second succeeds.
  case installFailsRetryable = "install_fails_retryable"
  /// Half of the set is installed, then the installer fails for good.
  case installFailsPermanently = "install_fails_permanently"
  /// One update that is not required fails; the others are installed.
  case optionalUpdateFails = "optional_update_fails"
  /// The installer says nothing for hours, then succeeds.
  case hangs
  /// The installer never ends.
  case hangsForever = "hangs_forever"
  /// Everything takes eight times as long.
  case slowUpdate = "slow_update"
  /// The update source does not answer (0x8024402C); nothing is changed.
  case sourceUnreachable = "source_unreachable"
  /// The disk is full (E_DISK_FULL); nothing is changed.
  case diskFull = "disk_full"
  /// Success is reported and nothing was installed; the health check shows it.
  case lies
  /// The set holds nothing for this server.
  case noUpdates = "no_updates"

  // Around boots
  /// A boot was pending before the campaign.
  case pendingReboot = "pending_reboot"
  /// The set takes three passes.
  case threeReboots = "three_reboots"
  /// The boot takes hours.
  case rebootHangs = "reboot_hangs"
  /// Somebody boots the server in the middle of the installation.
  case unexpectedBoot = "unexpected_boot"
  /// One update is undone by the boot.
  case updateRevertedAtBoot = "update_reverted_at_boot"

  // Afterwards
  /// A service does not come back; a rollback cures it.
  case unhealthyAfterUpdate = "unhealthy_after_update"
  /// Unhealthy after the update, and the rollback is refused, as for a domain controller.
  case rollbackRefused = "rollback_refused"
  /// Unhealthy after the update, and the rollback fails.
  case rollbackFails = "rollback_fails"
  case snapshotFails = "snapshot_fails"

  // The agent and its line
  /// The agent's process dies in the middle of the installation and comes back.
  case agentCrashes = "agent_crashes"
  /// The line breaks in the middle of the installation for half an hour or more.
  case vanishes
  /// The line breaks in the middle of the installation, and that is the last of it.
  case vanishesForGood = "vanishes_for_good"
  /// The agent never connects.
  case offline

  /// How often it is drawn, compared with the others, when no scenario says what a server has.
  /// What needs a person is rare, and what stops a whole campaign must be asked for.
  package var weight: Int {
    switch self {
    case .installFailsRetryable: 25
    case .optionalUpdateFails: 20
    case .agentCrashes, .vanishes: 10
    case .installFailsPermanently, .unhealthyAfterUpdate: 8
    case .unexpectedBoot, .updateRevertedAtBoot, .snapshotFails: 5
    case .noUpdates, .pendingReboot, .threeReboots, .diskFull, .lies, .hangs: 3
    case .rollbackRefused, .rollbackFails, .slowUpdate, .rebootHangs: 1
    case .hangsForever, .sourceUnreachable, .vanishesForGood, .offline: 0
    }
  }

  /// The kind that `random` draws by weight.
  static func draw(_ random: inout SplitMix64) -> FailureKind? {
    var place = Int.random(in: 0..<allCases.reduce(0) { $0 + $1.weight }, using: &random)
    return allCases.first { kind in
      place -= kind.weight
      return place < 0
    }
  }
}

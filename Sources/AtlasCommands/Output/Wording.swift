import AtlasWire

/// The API's words as people see them.
extension WireEnum {
  /// `IN_PROGRESS` for `RUN_STATE_IN_PROGRESS`: without the prefix that all values of an enum share.
  /// A number that this version does not know is shown as it is.
  var word: String {
    guard let name = wireName else { return "\(rawValue)" }
    if rawValue == 0 { return "" }
    let prefix = Self.prefix
    return name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
  }

  /// `RUN_STATE_` for `atlas.v1.RunState`.
  private static var prefix: String {
    var prefix = ""
    for letter in wireName.split(separator: ".").last ?? "" {
      if letter.isUppercase, !prefix.isEmpty { prefix += "_" }
      prefix += letter.uppercased()
    }
    return prefix + "_"
  }
}

extension AtlasV1.RunState {
  var style: Style {
    switch self {
    case .completed: .good
    case .inProgress: .active
    case .parked: .warn
    case .held, .failed: .bad
    case .notAttempted, .postponed: .warn
    case .pending, .skipped, .unspecified, .unrecognized: .plain
    }
  }

  /// Nothing more happens to the run.
  var isEnded: Bool {
    switch self {
    case .completed, .failed, .notAttempted, .skipped, .postponed: true
    case .pending, .inProgress, .parked, .held, .unspecified, .unrecognized: false
    }
  }

  /// The state with this name on the command line, such as `held` or `not-attempted`.
  init?(word: String) {
    let name = "RUN_STATE_" + word.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    self.init(wireName: name)
    if self == .unspecified { return nil }
  }
}

extension AtlasV1.CampaignState {
  var style: Style {
    switch self {
    case .completed: .good
    case .active, .cancelling: .active
    case .completedWithFailures: .bad
    case .cancelled: .warn
    case .draft, .unspecified, .unrecognized: .plain
    }
  }

  /// Nothing happens in it any more.
  var isTerminal: Bool {
    switch self {
    case .completed, .completedWithFailures, .cancelled: true
    case .draft, .active, .cancelling, .unspecified, .unrecognized: false
    }
  }

  /// Work may be going on.
  var isRunning: Bool { self == .active || self == .cancelling }
}

extension AtlasV1.GateStatus {
  var style: Style {
    switch self {
    case .open: .good
    case .needsPerson: .bad
    case .closed, .unspecified, .unrecognized: .plain
    }
  }
}

extension AtlasV1.RunCounts {
  /// Nothing more will happen to them in their campaign.
  var ended: Int32 { completed + failed + leftOut }

  /// Ended without having been changed: not attempted, skipped or postponed.
  var leftOut: Int32 { notAttempted + skipped + postponed }

  /// `412/1,000`: how many of all are up to date. Servers that ended otherwise do not count.
  var progressText: String { "\(grouped(completed))/\(grouped(total))" }
}

/// “1 server”, “2 servers”, “1,000 servers”.
func counted(_ count: some BinaryInteger, _ noun: String) -> String {
  "\(grouped(count)) \(count == 1 ? noun : noun + "s")"
}

/// A number with a comma between thousands.
func grouped(_ number: some BinaryInteger) -> String {
  let digits = String(number.magnitude)
  var text = ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index) % 3 == 0 { text += "," }
    text.append(digit)
  }
  return number < 0 ? "-" + text : text
}

/// A share of 0 to 1 as “98.5 %”; only a whole is shown as 100 %.
func percent(_ share: Double?) -> String {
  guard let share, share.isFinite else { return "-" }
  let thousandths = Int((min(1, max(0, share)) * 1000).rounded(.down))
  return thousandths % 10 == 0
    ? "\(thousandths / 10) %" : "\(thousandths / 10).\(thousandths % 10) %"
}

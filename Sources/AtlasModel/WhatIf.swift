/// Something that a plan supposes, and that is not so: what if clients had two slots, what if every
/// thirtieth server failed?
package enum WhatIf: Hashable, Sendable {
  /// Every client has so many slots, whatever its own configuration and the policy say.
  case maxParallelServers(Int)
  /// Nil is no cap, here and below.
  case maxInProgress(Int?)
  case maxActiveClients(Int?)
  case maxStartsPerMinute(Int?)
  case perSite(Int?)
  /// Every server takes so long, whatever history says.
  case estimate(Duration)
  case rollbackReserve(Duration)
  /// So many of 10,000 servers fail after they were changed, spread evenly.
  case failureRate(perTenThousand: Int)
  /// The soak of every gate.
  case gateSoak(Duration)
  /// Every gate is open from the beginning.
  case gatesOpen
  /// Every client may be worked on at any time, and no freeze holds.
  case windowsAlways

  /// What can be supposed, as it is written.
  package enum Key: String, CaseIterable, Sendable {
    case maxParallelServers = "max_parallel_servers"
    case maxInProgress = "max_in_progress"
    case maxActiveClients = "max_active_clients"
    case maxStartsPerMinute = "max_starts_per_minute"
    case perSite = "per_site"
    case estimate
    case rollbackReserve = "rollback_reserve"
    case failureRate = "failure_rate"
    case gateSoak = "gate_soak"
    case gates
    case windows
  }
}

/// Why a text supposes nothing that can be planned with.
package struct WhatIfError: Error, Hashable, CustomStringConvertible {
  /// The part that is wrong, as it was written.
  package let text: String
  package let message: String

  package init(text: String, message: String) {
    self.text = text
    self.message = message
  }

  package var description: String { "“\(text)”: \(message)".bounded() }
}

extension WhatIf {
  /// Reads `max_parallel_servers=2,failure_rate=3%`; every key at most once.
  /// - Throws: ``WhatIfError`` for the first part that is wrong.
  package static func parse(_ text: String) throws(WhatIfError) -> [WhatIf] {
    var found: [WhatIf] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let part = String(part.drop { $0 == " " })
      let one = try parse(part: part)
      guard !found.contains(where: { $0.key == one.key }) else {
        throw WhatIfError(text: part, message: "\(one.key.rawValue) is there already")
      }
      found.append(one)
    }
    return found
  }

  private static func parse(part: String) throws(WhatIfError) -> WhatIf {
    let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let known = Key.allCases.map(\.rawValue)
    guard sides.count == 2 else {
      throw WhatIfError(
        text: part, message: "write KEY=VALUE; keys are \(known.joined(separator: ", "))")
    }
    guard let key = Key(rawValue: String(sides[0])) else {
      let meant = Spelling.nearest(to: String(sides[0]), among: known)
      throw WhatIfError(
        text: part,
        message: (meant.map { "did you mean \($0)? " } ?? "")
          + "keys are \(known.joined(separator: ", "))")
    }
    return try WhatIf(key, String(sides[1]), of: part)
  }

  private init(_ key: Key, _ value: String, of part: String) throws(WhatIfError) {
    switch key {
    case .maxParallelServers:
      self = .maxParallelServers(try Self.number(value, 1...Limits.slotsPerClient, of: part))
    case .maxInProgress: self = .maxInProgress(try Self.cap(value, of: part))
    case .maxActiveClients: self = .maxActiveClients(try Self.cap(value, of: part))
    case .maxStartsPerMinute: self = .maxStartsPerMinute(try Self.cap(value, of: part))
    case .perSite: self = .perSite(try Self.cap(value, of: part))
    case .estimate:
      let time = try Self.duration(value, of: part)
      guard time > .zero else {
        throw WhatIfError(text: part, message: "no server takes no time; write for example 45m")
      }
      self = .estimate(time)
    case .rollbackReserve: self = .rollbackReserve(try Self.duration(value, of: part))
    case .failureRate: self = .failureRate(perTenThousand: try Self.share(value, of: part))
    case .gateSoak: self = .gateSoak(try Self.duration(value, of: part))
    case .gates:
      try Self.demand(value, "open", of: part)
      self = .gatesOpen
    case .windows:
      try Self.demand(value, "always", of: part)
      self = .windowsAlways
    }
  }

  package var key: Key {
    switch self {
    case .maxParallelServers: .maxParallelServers
    case .maxInProgress: .maxInProgress
    case .maxActiveClients: .maxActiveClients
    case .maxStartsPerMinute: .maxStartsPerMinute
    case .perSite: .perSite
    case .estimate: .estimate
    case .rollbackReserve: .rollbackReserve
    case .failureRate: .failureRate
    case .gateSoak: .gateSoak
    case .gatesOpen: .gates
    case .windowsAlways: .windows
    }
  }

  /// As it is written.
  package var text: String {
    let value =
      switch self {
      case .maxParallelServers(let count): "\(count)"
      case .maxInProgress(let cap), .maxActiveClients(let cap), .maxStartsPerMinute(let cap),
        .perSite(let cap):
        cap.map { "\($0)" } ?? Self.none
      case .estimate(let time), .rollbackReserve(let time), .gateSoak(let time): time.text
      case .failureRate(let share): Self.percent(share)
      case .gatesOpen: "open"
      case .windowsAlways: "always"
      }
    return "\(key.rawValue)=\(value)"
  }
}

// MARK: - Values

extension WhatIf {
  /// What lifts a cap.
  private static let none = "none"

  private static func number(
    _ value: String, _ range: ClosedRange<Int>, of part: String
  ) throws(WhatIfError) -> Int {
    guard let number = Int(value), range.contains(number) else {
      throw WhatIfError(
        text: part, message: "write a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private static func cap(_ value: String, of part: String) throws(WhatIfError) -> Int? {
    if value == none { return nil }
    guard let number = Int(value), (1...Limits.servers).contains(number) else {
      throw WhatIfError(
        text: part,
        message: "write a number from 1 to \(Limits.servers), or “\(none)” for no cap")
    }
    return number
  }

  private static func duration(_ value: String, of part: String) throws(WhatIfError) -> Duration {
    do {
      return try Duration(text: value)
    } catch {
      throw WhatIfError(text: part, message: "\(error)")
    }
  }

  private static func demand(
    _ value: String, _ word: String, of part: String
  ) throws(WhatIfError) {
    guard value == word else {
      throw WhatIfError(text: part, message: "the only thing to suppose here is “\(word)”")
    }
  }

  /// `3%`, `2.5%` or `0.25%`, in ten thousandths.
  private static func share(_ value: String, of part: String) throws(WhatIfError) -> Int {
    let wrong = WhatIfError(
      text: part, message: "write a share from 0% to 100%, such as 3% or 2.5%")
    guard value.hasSuffix("%") else { throw wrong }
    let sides = value.dropLast().split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(sides.count), sides.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 3 }),
      sides.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
      let whole = Int(sides[0])
    else { throw wrong }
    let fraction = sides.count == 2 ? sides[1] : ""
    guard fraction.utf8.count <= 2, let rest = Int((fraction + "00").prefix(2)) else { throw wrong }
    let share = whole * 100 + rest
    guard share <= 10_000 else { throw wrong }
    return share
  }

  private static func percent(_ share: Int) -> String {
    guard share % 100 != 0 else { return "\(share / 100)%" }
    let rest = share % 100
    return "\(share / 100).\(rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)")%"
  }
}

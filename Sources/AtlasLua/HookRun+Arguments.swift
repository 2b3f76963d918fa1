import AtlasHooks
import AtlasModel

/// The members of an options table, each looked at once, so that unknown ones can be refused.
struct Options {
  private var members: [String: LuaValue] = [:]

  /// - Throws: Misuse when `value` is not a table of named members.
  init(_ value: LuaValue) throws(CallProblem) {
    switch value {
    case .none: break
    case .map(let list): for member in list { members[member.key] = member.value }
    case .list(let values) where values.isEmpty: break
    case _: throw .misuse("it takes a table of options with names")
    }
  }

  mutating func take(_ name: String) -> LuaValue { members.removeValue(forKey: name) ?? .none }

  mutating func text(_ name: String) throws(CallProblem) -> String? {
    let value = take(name)
    if value == .none { return nil }
    guard let text = value.string else {
      throw .misuse("\(name) must be text, it is \(value.kind)")
    }
    return text
  }

  mutating func flag(_ name: String) throws(CallProblem) -> Bool {
    switch take(name) {
    case .none: return false
    case .boolean(let value): return value
    case let value: throw .misuse("\(name) must be true or false, it is \(value.kind)")
    }
  }

  mutating func duration(_ name: String) throws(CallProblem) -> Duration? {
    let value = take(name)
    return value == .none ? nil : try value.duration(name)
  }

  mutating func instant(_ name: String) throws(CallProblem) -> Instant? {
    let value = take(name)
    return value == .none ? nil : try value.instant(name)
  }

  /// Refuses what nobody took: most often a name that is written wrong.
  func finish() throws(CallProblem) {
    guard let name = members.keys.min() else { return }
    throw .misuse("it has no option '\(name)'")
  }
}

extension LuaValue {
  private var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    case _: nil
    }
  }

  /// Seconds, from 0 to ``HookLimits/longestPause``.
  func duration(_ name: String) throws(CallProblem) -> Duration {
    guard let seconds = double else {
      throw .misuse("\(name) must be a number of seconds, it is \(kind)")
    }
    let longest = Double(HookLimits.longestPause.components.seconds)
    guard seconds >= 0, seconds <= longest else {
      throw .misuse("\(name) must be from 0 to \(Int(longest)) seconds")
    }
    return .milliseconds(Int64((seconds * 1_000).rounded(.up)))
  }

  /// Seconds since 1970, as `time.now` gives them.
  func instant(_ name: String) throws(CallProblem) -> Instant {
    guard let seconds = double else {
      throw .misuse("\(name) must be a time in seconds, it is \(kind)")
    }
    // Up to the year 5138; a time in milliseconds is far beyond.
    guard seconds >= 0, seconds < 1e11 else {
      throw .misuse("\(name) must be a time in seconds since 1970")
    }
    return Instant(milliseconds: Int64((seconds * 1_000).rounded()))
  }

  /// A whole number from 0 to `limit`.
  func count(_ name: String, limit: Int) throws(CallProblem) -> Int {
    guard case .integer(let value) = self, value >= 0, value <= Int64(limit) else {
      throw .misuse("\(name) must be a whole number from 0 to \(limit)")
    }
    return Int(value)
  }
}

extension Instant {
  /// Seconds since 1970, the form in which scripts see times.
  var luaSeconds: Double { Double(milliseconds) / 1_000 }
}

extension HookInvocation {
  /// `run`: what the function may know, read-only.
  var luaValue: LuaValue {
    .readOnly(
      .map([
        .init("key", LuaValue(key)),
        .init("point", LuaValue(point.rawValue)),
        .init("client", LuaValue(client.text)),
        .init("site", LuaValue(site.text)),
        .init("server", LuaValue(server.text)),
        .init("roles", .readOnly(.list(roles.map { LuaValue($0.text) }))),
        .init("ring", .integer(Int64(ring.number))),
        .init("campaign", LuaValue(campaign.text)),
        .init("attempt", .integer(Int64(attempt))),
        .init("pass", .integer(Int64(pass))),
        .init("phase", LuaValue(phase.word)),
        .init("deadline", .number(deadline.luaSeconds)),
        .init("dry_run", .boolean(dryRun)),
        .init("restarted", .boolean(restarted)),
        .init("rollback", .boolean(rollback)),
        .init("snapshot_id", snapshotID.isEmpty ? .none : LuaValue(snapshotID)),
        .init("group", group.map { LuaValue($0.text) } ?? .none),
        .init("peers", .readOnly(.list(peers.map { LuaValue($0.text) }))),
        .init("expires", expires.map { .number($0.luaSeconds) } ?? .none),
        .init("updates", .readOnly(.list(updates.map(\.luaValue)))),
      ]))
  }
}

extension UpdateResult {
  fileprivate var luaValue: LuaValue {
    .readOnly(
      .map([
        .init("id", LuaValue(update.text)), .init("outcome", LuaValue(outcome.word)),
        .init("code", LuaValue(code)),
      ]))
  }
}

import AtlasHooks
import CAtlasLua
import Synchronization

/// One Lua state: a hook file, its sandbox, and the coroutine that runs a function of it.
///
/// Swift never touches what is inside; everything goes through `CAtlasLua` as bytes. A state may
/// move from thread to thread, but not be used by two at once, which is why it cannot be copied.
struct LuaState: ~Copyable {
  private let run: OpaquePointer
  /// Stops it, from anywhere.
  let canceller: LuaCanceller

  /// - Parameter seed: Of `math.random`; the same seed gives the same numbers.
  /// - Returns: nil when there is no memory for it.
  init?(limits: HookLimits, seed: UInt64) {
    let calls = LuaCallTable.shared
    var c = atlas_lua_limits(limits, seed: seed)
    guard let run = atlas_lua_new(&c, calls.start, calls.count) else { return nil }
    self.run = run
    canceller = LuaCanceller(run)
  }

  deinit {
    canceller.forget()
    atlas_lua_close(run)
  }

  /// Compiles the file whose function is to run. `name` is what messages show.
  mutating func load(name: String, source: [UInt8]) -> LuaStep {
    let step = source.withUnsafeBytes { bytes in
      atlas_lua_load(run, name, bytes.bindMemory(to: CChar.self).baseAddress, bytes.count)
    }
    return interpret(step)
  }

  /// The compiled file, for static checks; empty unless it was just loaded.
  mutating func compiled() -> [UInt8] { copy(atlas_lua_dump(run)) }

  /// Runs until the script needs something or ends. The first answer starts it.
  mutating func resume(_ answer: [UInt8]) -> LuaStep {
    interpret(answer.withUnsafeBufferPointer { atlas_lua_resume(run, $0.baseAddress, $0.count) })
  }

  /// What it has used so far, host calls aside.
  var usage: HookUsage {
    let measured = atlas_lua_measure(run)
    return HookUsage(
      instructions: measured.instructions, cpu: .nanoseconds(measured.cpu_ns),
      longestSlice: .nanoseconds(measured.longest_slice_ns),
      peakMemoryBytes: Int(measured.peak_memory))
  }

  private func copy(_ bytes: atlas_lua_bytes) -> [UInt8] {
    Array(UnsafeBufferPointer(start: bytes.start, count: bytes.count))
  }

  private func interpret(_ step: atlas_lua_step) -> LuaStep {
    switch step {
    case ATLAS_LUA_LOADED: .loaded
    case ATLAS_LUA_DONE: .described(copy(atlas_lua_output(run)))
    case ATLAS_LUA_ENDED: .ended
    case ATLAS_LUA_UNDEFINED: .undefined
    case ATLAS_LUA_QUANTUM: .quantum
    case ATLAS_LUA_HOST_CALL: LuaRequest(copy(atlas_lua_output(run))).map(LuaStep.call) ?? .broken
    case ATLAS_LUA_FAILED: .failed(LuaFault(copy(atlas_lua_output(run))))
    case ATLAS_LUA_KILLED:
      .killed(LuaStep.Cause(atlas_lua_measure(run).cause), LuaFault(copy(atlas_lua_output(run))))
    case _: .broken
    }
  }
}

/// Stops a state from any thread, for as long as it is open.
final class LuaCanceller: Sendable {
  /// The address of the run; nil once it is closed. Held while cancelling, so that it cannot be
  /// closed meanwhile.
  private let address: Mutex<UInt?>

  init(_ run: OpaquePointer) { address = Mutex(UInt(bitPattern: run)) }

  func cancel() {
    address.withLock {
      if let run = $0.flatMap(OpaquePointer.init(bitPattern:)) { atlas_lua_cancel(run) }
    }
  }

  func forget() { address.withLock { $0 = nil } }
}

/// Where a state stands.
enum LuaStep {
  /// Why a state was killed.
  enum Cause {
    case cancelled, instructions, cpu, slice, memory, block

    init(_ cause: atlas_lua_cause) {
      switch cause {
      case ATLAS_LUA_CANCELLED: self = .cancelled
      case ATLAS_LUA_INSTRUCTIONS: self = .instructions
      case ATLAS_LUA_CPU: self = .cpu
      case ATLAS_LUA_SLICE: self = .slice
      case ATLAS_LUA_BLOCK: self = .block
      case _: self = .memory
      }
    }
  }

  case loaded
  /// The file ran; these bytes describe the table it returned.
  case described([UInt8])
  /// An answer of the host ended it.
  case ended
  /// The file has no function of the name asked for.
  case undefined
  case call(LuaRequest)
  /// Gave way; resume with any answer.
  case quantum
  case failed(LuaFault)
  case killed(Cause, LuaFault)
  /// A defect of the daemon.
  case broken
}

/// A call of the host.
struct LuaRequest: Equatable {
  var call: HookCall
  var arguments: [LuaValue]

  init?(_ bytes: [UInt8]) {
    var decoder = LuaDecoder(bytes)
    guard let index = try? decoder.group(), index < UInt64(HookCall.allCases.count),
      let count = try? decoder.group(), count <= 8
    else { return nil }
    var values: [LuaValue] = []
    for _ in 0..<count {
      guard let value = try? decoder.value() else { return nil }
      values.append(value)
    }
    guard decoder.isAtEnd else { return nil }
    call = HookCall.allCases[Int(index)]
    arguments = values
  }

  /// The argument, or nil when the script gave fewer.
  subscript(_ index: Int) -> LuaValue {
    index < arguments.count ? arguments[index] : .none
  }
}

/// An error that a script did not catch, or the place at which it was killed.
struct LuaFault: Equatable {
  var message = ""
  var file: String?
  var line: Int?
  var traceback = ""
  /// Of a failure that the host reported and the script raised.
  var code = ""

  init(_ bytes: [UInt8]) {
    var decoder = LuaDecoder(bytes)
    guard case .list(let values)? = try? decoder.value(), values.count == 5 else { return }
    message = values[0].string ?? ""
    file = values[1].string.flatMap { $0.isEmpty ? nil : $0 }
    if case .integer(let line) = values[2], line > 0 { self.line = Int(line) }
    traceback = values[3].string ?? ""
    code = values[4].string ?? ""
  }
}

/// ``HookCall`` as the C library reads it: names and argument letters, in the order of the cases.
///
/// Sendable although it holds a pointer: it is written once, before anybody sees it, and lives as
/// long as the process.
final class LuaCallTable: @unchecked Sendable {
  static let shared = LuaCallTable()

  let start: UnsafePointer<atlas_lua_call>
  let count: Int

  private init() {
    let calls = HookCall.allCases
    let table = UnsafeMutablePointer<atlas_lua_call>.allocate(capacity: calls.count)
    for (index, call) in calls.enumerated() {
      table[index] = atlas_lua_call(
        name: Self.immortal(call.rawValue), arguments: Self.immortal(call.argumentLetters))
    }
    start = UnsafePointer(table)
    count = calls.count
  }

  private static func immortal(_ text: String) -> UnsafePointer<CChar> {
    let bytes = text.utf8CString
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    for (index, byte) in bytes.enumerated() { copy[index] = byte }
    return UnsafePointer(copy)
  }
}

extension atlas_lua_limits {
  /// VM instructions between two looks at the limits: 5 to 10 µs, so that looking costs little.
  private static let interval: Int32 = 1_000

  init(_ limits: HookLimits, seed: UInt64) {
    self.init(
      instructions: limits.instructions, cpu_ns: limits.cpu.nanosecondCount,
      slice_ns: limits.slice.nanosecondCount, quantum_ns: limits.quantum.nanosecondCount,
      memory: limits.memory, block: limits.block, overdraft: 2 * limits.block,
      interval: Self.interval, seed: seed)
  }
}

extension Duration {
  /// Whole nanoseconds, at least 0; saturates.
  var nanosecondCount: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? .max : scaled + UInt64(attoseconds / 1_000_000_000)
  }
}

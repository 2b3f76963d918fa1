import AtlasHooks
import AtlasModel

/// One run of one hook function: drives its Lua state and answers its calls.
///
/// Lives inside one task and is shared with nobody.
final class HookRun {
  /// What it is made of; crosses into the task.
  struct Setup: Sendable {
    let invocation: HookInvocation
    let revision: HookRevision
    let file: HookFile
    let limits: HookLimits
    let ports: HookPorts
    let handle: RunHandle
    let startedAt: Instant
  }

  let setup: Setup
  var invocation: HookInvocation { setup.invocation }
  var ports: HookPorts { setup.ports }

  var outcome: HookOutcome?
  var evidence: [HookEvidence] = []
  var linesLogged = 0
  /// What a dry run has "stored": nil values are deletions.
  var withheldValues: [String: [UInt8]?] = [:]
  private var usage: [HookCall: HookCallUsage] = [:]

  init(_ setup: Setup) { self.setup = setup }

  /// Runs the function to its end.
  func drive() async -> HookReport {
    guard var state = LuaState(limits: setup.limits, seed: seed) else {
      return report(.error(HookError(kind: .engine, message: "there is no memory for a Lua state")))
    }
    setup.handle.attach(state.canceller)
    var step = state.load(name: setup.file.path, source: setup.file.source)
    while true {
      switch step {
      case .loaded:
        step = state.resume(start)
      case .call(let request):
        let answer = await measured(request)
        // Also after a stop: the state then says at which line the script was waiting.
        step = state.resume(answer.bytes)
      case .quantum:
        await Task.yield()
        step = state.resume([])
      case .ended, .undefined, .described, .failed, .killed, .broken:
        return report(outcome(of: step), state.usage)
      }
    }
  }

  /// The report of a run that was stopped while it waited for its turn.
  func neverStarted() -> HookReport { report(.error(stopped(LuaFault([])))) }

  /// The same for every repeat of the run, so that a replay draws the same numbers.
  private var seed: UInt64 {
    (invocation.key + invocation.point.rawValue).utf8.reduce(0xcbf2_9ce4_8422_2325) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
  }

  private var start: [UInt8] {
    var encoder = LuaEncoder()
    encoder.append(count: 2)
    encoder.append(LuaValue(invocation.point.rawValue))
    encoder.append(invocation.luaValue)
    return encoder.bytes
  }

  // MARK: The end

  private func outcome(of step: LuaStep) -> HookOutcome {
    switch step {
    case .ended:
      outcome ?? .error(HookError(kind: .engine, message: "it ended without an outcome"))
    case .undefined:
      .error(
        HookError(
          kind: .script, message: "\(invocation.point.rawValue) is not defined this time",
          file: setup.file.path))
    case .failed(let fault): .error(HookError(fault))
    case .killed(let cause, let fault):
      .error(HookError(cause, fault, limits: setup.limits, stop: setup.handle.reason))
    case .loaded, .call, .quantum, .described, .broken:
      .error(HookError(kind: .engine, message: "the Lua state is broken"))
    }
  }

  private func stopped(_ fault: LuaFault) -> HookError {
    HookError(.cancelled, fault, limits: setup.limits, stop: setup.handle.reason)
  }

  private func report(_ outcome: HookOutcome, _ used: HookUsage = HookUsage()) -> HookReport {
    var used = used
    used.calls = usage.values.sorted { $0.call < $1.call }
    return HookReport(
      key: invocation.key, outcome: outcome, evidence: evidence, usage: used,
      startedAt: setup.startedAt, endedAt: ports.clock.now(), revision: setup.revision.id,
      file: setup.file.path)
  }

  // MARK: Calls

  private func measured(_ request: LuaRequest) async -> LuaAnswer {
    let began = ContinuousClock.now
    let answer = await self.answer(request)
    usage[request.call, default: HookCallUsage(call: request.call)].count += 1
    usage[request.call]?.duration += ContinuousClock.now - began
    if answer.isError { usage[request.call]?.errors += 1 }
    return answer
  }

  private func answer(_ request: LuaRequest) async -> LuaAnswer {
    do {
      switch request.call {
      case .ok: return try ended(ok(request))
      case .skip: return try ended(skip(request))
      case .deferred: return try ended(deferred(request))
      case .fail: return try ended(fail(request))
      case .require: return try module(request)
      case .timeNow: return .values([.number(ports.clock.now().luaSeconds)])
      case .sleep: return try await sleep(request)
      case .waitUntil: return try await waitUntil(request)
      case .httpGet, .httpPost, .httpRequest: return try await http(request)
      case .backup: return try record(backup(request))
      case .snapshot: return try record(snapshot(request))
      case .keyValueGet: return try await keyValueGet(request)
      case .keyValueSet: return try await keyValueSet(request)
      case .keyValueCompareAndSet: return try await keyValueCompareAndSet(request)
      case .keyValueDelete: return try await keyValueDelete(request)
      case .logDebug, .logInfo, .logWarn, .logError: return try log(request)
      }
    } catch {
      switch error {
      case .misuse(let message): return .misuse("\(request.call.rawValue): \(message)")
      case .fault(let fault): return .fault(fault)
      }
    }
  }

  /// Counts a write that a dry run only logs, and says so in the log.
  func withhold(_ call: HookCall, _ what: String) {
    usage[call, default: HookCallUsage(call: call)].withheld += 1
    write(.info, "dry run: \(what)", [])
  }

  private func module(_ request: LuaRequest) throws(CallProblem) -> LuaAnswer {
    let name = request[0].string ?? ""
    guard let module = setup.revision.module(name) else {
      throw .misuse("there is no module '\(name)'")
    }
    return .values([.text(module.source), LuaValue(module.path)])
  }
}

/// Why a call cannot be answered with values.
enum CallProblem: Error {
  /// The script's doing; the message goes behind the name of the call.
  case misuse(String)
  /// The world's doing.
  case fault(HookFault)
}

extension HookError {
  /// An error that the script did not catch.
  init(_ fault: LuaFault) {
    let message = fault.code.isEmpty ? fault.message : "\(fault.message) (\(fault.code))"
    self.init(
      kind: fault.code.isEmpty ? .script : .host, message: message.bounded(), file: fault.file,
      line: fault.line, traceback: fault.traceback)
  }

  /// The end of a state that was killed.
  init(_ cause: LuaStep.Cause, _ fault: LuaFault, limits: HookLimits, stop: RunHandle.Reason?) {
    let (kind, message): (Kind, String) =
      switch cause {
      case .cancelled where stop == .deadline: (.deadline, "its deadline passed")
      case .cancelled: (.cancelled, "it was cancelled")
      case .instructions:
        (.limitInstructions, "it ran more than \(limits.instructions) instructions")
      case .cpu: (.limitCPU, "it used more than \(limits.cpu.text) of CPU time")
      case .slice:
        (
          .limitCPU,
          "it used more than \(limits.slice.text) of CPU time in a pattern, or in a function "
            + "called by table.sort, string.gsub, xpcall or a metamethod, where it cannot give way"
        )
      case .memory:
        (.limitMemory, "it used more than \(limits.memory / 1_048_576) MiB of memory")
      case .block:
        (
          .limitMemory,
          "a text, a table or the call stack grew beyond \(limits.block / 1_024) KiB; "
            + "does a function call itself for ever?"
        )
      }
    self.init(
      kind: kind, message: message, file: fault.file, line: fault.line, traceback: fault.traceback)
  }
}

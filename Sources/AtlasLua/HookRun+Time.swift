import AtlasHooks
import AtlasModel

/// `sleep` and `wait_until`, in campaign time.
extension HookRun {
  func sleep(_ request: LuaRequest) async throws(CallProblem) -> LuaAnswer {
    let pause = try request[0].duration("seconds")
    await rest(until: ports.clock.now() + pause)
    return .nothing
  }

  /// Called before the first look, when it answers with the start, and after every look that said
  /// no, when it pauses. Arguments: every, timeout, what, start.
  func waitUntil(_ request: LuaRequest) async throws(CallProblem) -> LuaAnswer {
    let every = try request[0].duration("every")
    let timeout = try request[1].duration("timeout")
    let now = ports.clock.now()
    guard case .integer(let start) = request[3] else {
      return .values([.integer(now.milliseconds)])
    }
    let end = Instant(milliseconds: start) + timeout
    guard now < end else {
      let what = (request[2].string ?? "").bounded(to: 256)
      throw .fault(
        HookFault(
          code: "timeout", message: "\(what): not so after \(timeout.text)", retryable: true))
    }
    await rest(until: min(now + max(every, Self.shortestPause), end))
    return .done
  }

  /// A look that costs nothing would otherwise be taken as often as the machine can.
  private static var shortestPause: Duration { .milliseconds(10) }

  /// A stop ends the pause early; the state notices it when it is resumed.
  private func rest(until instant: Instant) async {
    try? await ports.clock.sleep(until: instant)
  }
}

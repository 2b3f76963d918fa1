import AtlasHooks
import AtlasModel

/// `log`: lines with fields, capped in size and number.
extension HookRun {
  func log(_ request: LuaRequest) throws(CallProblem) -> LuaAnswer {
    let level: HookLogRecord.Level =
      switch request.call {
      case .logDebug: .debug
      case .logWarn: .warn
      case .logError: .error
      case _: .info
      }
    write(level, request[0].string ?? "", try fields(request[1]))
    return .nothing
  }

  /// Writes a line, or says once that there were too many.
  func write(_ level: HookLogRecord.Level, _ message: String, _ fields: [HookLogRecord.Field]) {
    linesLogged += 1
    guard linesLogged <= HookLimits.logRecords else { return }
    let isLast = linesLogged == HookLimits.logRecords
    ports.log.write(
      HookLogRecord(
        time: ports.clock.now(), key: invocation.key, client: invocation.client,
        server: invocation.server, campaign: invocation.campaign, point: invocation.point,
        level: isLast ? .warn : level,
        message: isLast
          ? "more than \(HookLimits.logRecords) lines: the rest is dropped"
          : message.bounded(to: HookLimits.logMessage),
        fields: isLast ? [] : fields))
  }

  private func fields(_ value: LuaValue) throws(CallProblem) -> [HookLogRecord.Field] {
    switch value {
    case .none: return []
    case .list(let values) where values.isEmpty: return []
    case .map(let members):
      guard members.count <= HookLimits.logFields else {
        throw .misuse("more than \(HookLimits.logFields) fields")
      }
      return members.sorted { $0.key < $1.key }.map { member in
        HookLogRecord.Field(
          name: member.key.bounded(to: 64),
          value: member.value.described().bounded(to: HookLimits.logMessage))
      }
    case _: throw .misuse("fields must have names: {server = run.server}")
    }
  }
}

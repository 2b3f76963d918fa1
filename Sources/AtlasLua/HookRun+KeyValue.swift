import AtlasHooks
import AtlasModel

/// `kv`: what this client's hooks remember. Values are JSON text here, any value to scripts.
///
/// A dry run keeps its writes to itself, and reads what it wrote.
extension HookRun {
  func keyValueGet(_ request: LuaRequest) async throws(CallProblem) -> LuaAnswer {
    guard let value = try await stored(try key(request)) else { return .values([.none]) }
    return .values([.json(value)])
  }

  func keyValueSet(_ request: LuaRequest) async throws(CallProblem) -> LuaAnswer {
    let key = try key(request)
    let value = try value(request[1])
    if invocation.dryRun {
      withhold(request.call, "kv.set \(key) was not stored")
      withheldValues[key] = .some(value)
    } else {
      do {
        try await ports.keyValue.set(client: invocation.client, key: key, to: value)
      } catch { throw .fault(error) }
    }
    return .done
  }

  func keyValueCompareAndSet(_ request: LuaRequest) async throws(CallProblem) -> LuaAnswer {
    let key = try key(request)
    let expected: [UInt8]? = if case .text(let json) = request[1] { json } else { nil }
    let value = try value(request[2])
    if invocation.dryRun {
      guard try await stored(key) == expected else { return .values([.boolean(false)]) }
      withhold(request.call, "kv.cas \(key) was not stored")
      withheldValues[key] = .some(value)
      return .done
    }
    do {
      let stored = try await ports.keyValue.compareAndSet(
        client: invocation.client, key: key, expected: expected, to: value)
      return .values([.boolean(stored)])
    } catch { throw .fault(error) }
  }

  func keyValueDelete(_ request: LuaRequest) async throws(CallProblem) -> LuaAnswer {
    let key = try key(request)
    if invocation.dryRun {
      withhold(request.call, "kv.delete \(key) was not deleted")
      withheldValues[key] = .some(nil)
    } else {
      do {
        try await ports.keyValue.delete(client: invocation.client, key: key)
      } catch { throw .fault(error) }
    }
    return .done
  }

  private func stored(_ key: String) async throws(CallProblem) -> [UInt8]? {
    if let withheld = withheldValues[key] { return withheld }
    do {
      return try await ports.keyValue.get(client: invocation.client, key: key)
    } catch { throw .fault(error) }
  }

  private func key(_ request: LuaRequest) throws(CallProblem) -> String {
    guard case .text(let bytes) = request[0], !bytes.isEmpty,
      bytes.count <= HookLimits.keyBytes, let key = String(validating: bytes, as: UTF8.self)
    else { throw .misuse("key must be a text of 1 to \(HookLimits.keyBytes) bytes of UTF-8") }
    return key
  }

  private func value(_ value: LuaValue) throws(CallProblem) -> [UInt8] {
    guard case .text(let json) = value else { throw .misuse("value is missing") }
    guard json.count <= HookLimits.valueBytes else {
      throw .misuse("value takes more than \(HookLimits.valueBytes / 1_024) KiB as JSON")
    }
    return json
  }
}

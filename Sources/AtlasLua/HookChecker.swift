import AtlasHooks
import AtlasModel

/// Makes a revision of sources: compiles every file, runs the hook files once to see what they
/// define, and looks for names that nobody defines. Runs Lua, so call it on a ``LuaExecutor``.
struct HookChecker {
  let limits: HookLimits
  /// SHA-256, injected so that this target needs no crypto library.
  let sha256: @Sendable ([UInt8]) -> [UInt8]

  private static let seed: UInt64 = 1

  func revision(of sources: HookSources) -> HookRevision {
    var findings: [HookFinding] = []
    var files: [HookFile] = []
    let byPath = sources.files.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    for (path, source) in byPath {
      var check = FileCheck(path: path, sources: sources, limits: limits)
      check.run(source)
      findings += check.findings
      files.append(
        HookFile(
          path: path, source: source, functions: check.functions,
          hash: Self.hexadecimal(sha256(source))))
    }
    return HookRevision(id: id(of: files), files: files, findings: findings)
  }

  /// SHA-256 over path, a zero byte, the size in eight bytes (lowest first) and the source, of
  /// every file in the order of the bytes of their paths.
  private func id(of files: [HookFile]) -> HookRevisionID {
    var bytes: [UInt8] = []
    for file in files {
      bytes += file.path.utf8
      bytes.append(0)
      withUnsafeBytes(of: UInt64(file.source.count).littleEndian) { bytes += $0 }
      bytes += file.source
    }
    return HookRevisionID(Self.hexadecimal(sha256(bytes)))
  }

  static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}

/// The check of one file.
private struct FileCheck {
  let path: String
  let sources: HookSources
  let limits: HookLimits
  private(set) var findings: [HookFinding] = []
  private(set) var functions: Set<HookPoint> = []

  init(path: String, sources: HookSources, limits: HookLimits) {
    self.path = path
    self.sources = sources
    self.limits = limits
  }

  /// Functions of hook files that later versions will call.
  private static let announced: Set<String> = ["on_failure"]

  mutating func run(_ source: [UInt8]) {
    guard source.count <= HookLimits.source else {
      return note(.error, "larger than \(HookLimits.source / 1_024) KiB")
    }
    guard var state = LuaState(limits: limits, seed: 1) else {
      return note(.error, "there is no memory to check it")
    }
    let step = state.load(name: path, source: source)
    guard case .loaded = step else { return note(step) }
    checkNames(state.compiled())
    guard !path.hasPrefix("lib/") else { return }
    guard path != "campaign.lua" else {
      return note(.warning, "campaign.lua is not called by this version")
    }
    checkName()
    describe(&state)
  }

  private mutating func note(
    _ severity: HookFinding.Severity, _ message: String, file: String? = nil, line: Int = 1
  ) {
    findings.append(
      HookFinding(severity: severity, file: file ?? path, line: line, message: message))
  }

  private mutating func note(_ step: LuaStep) {
    switch step {
    case .failed(let fault):
      note(.error, fault.message, file: fault.file, line: fault.line ?? 1)
    case .killed(let cause, let fault):
      let error = HookError(cause, fault, limits: limits, stop: .cancelled)
      note(.error, error.message, file: fault.file, line: fault.line ?? 1)
    case _:
      note(.error, "it cannot be run")
    }
  }

  /// Reports each unknown name once a line; names that the file itself assigns are known.
  private mutating func checkNames(_ compiled: [UInt8]) {
    guard let chunk = CompiledChunk(compiled) else { return }
    let assigned = Set(chunk.uses.filter(\.isWrite).map(\.name))
    for use in Set(chunk.uses) {
      if use.isWrite {
        note(.warning, "'\(use.name)' is a global; write `local`", line: use.line)
      } else if !assigned.contains(use.name), !LuaNames.globals.contains(use.name) {
        note(.error, "'\(use.name)' is not defined", line: use.line)
      }
    }
  }

  private mutating func checkName() {
    guard path != "default.lua" else { return }
    let name = path.dropFirst("clients/".count).dropLast(".lua".count)
    guard path.hasPrefix("clients/"), (try? ClientName(String(name))) != nil else {
      return note(
        .error,
        "it is neither default.lua nor clients/NAME.lua nor a module under lib/; move it there")
    }
  }

  /// Runs the file and reads the table it returns.
  private mutating func describe(_ state: inout LuaState) {
    var encoder = LuaEncoder()
    encoder.append(count: 2)
    encoder.append(.none)
    encoder.append(.none)
    var step = state.resume(encoder.bytes)
    while true {
      switch step {
      case .call(let request): step = state.resume(answer(request))
      case .quantum: step = state.resume([])
      case .described(let bytes): return read(bytes)
      case _: return note(step)
      }
    }
  }

  private func answer(_ request: LuaRequest) -> [UInt8] {
    let name = request[0].string ?? ""
    guard request.call == .require, let module = HookFile.path(ofModule: name),
      let source = sources.files[module]
    else { return LuaAnswer.misuse("require: there is no module '\(name)'").bytes }
    return LuaAnswer.values([.text(source), LuaValue(module)]).bytes
  }

  private mutating func read(_ bytes: [UInt8]) {
    var decoder = LuaDecoder(bytes)
    guard case .map(let members)? = try? decoder.value() else { return note(.broken) }
    for member in members {
      if member.key == "api" { checkAPI(member.value) }
      if member.key == "functions", case .map(let entries) = member.value {
        for entry in entries where entry.key != "api" { check(entry.key, entry.value.string ?? "") }
      }
    }
  }

  private mutating func checkAPI(_ value: LuaValue) {
    switch value {
    case .integer(1): break
    case .boolean: note(.error, "`api` is missing; write api = 1")
    case _: note(.error, "api = \(value.described()) is not known here; this daemon knows api = 1")
    }
  }

  private mutating func check(_ name: String, _ kind: String) {
    guard kind == "function" else {
      return note(.error, "'\(name)' must be a function, it is a \(kind)")
    }
    if let point = HookPoint(rawValue: name) {
      functions.insert(point)
    } else if Self.announced.contains(name) {
      note(.warning, "'\(name)' is not called by this version")
    } else {
      let known = HookPoint.allCases.map(\.rawValue).joined(separator: ", ")
      note(.error, "'\(name)' is no hook function; those are \(known)")
    }
  }
}

/// What scripts find in their environment.
enum LuaNames {
  /// The C library's own allow-list; a test compares the two.
  static let library: Set<String> = [
    "_VERSION", "assert", "check", "error", "getmetatable", "ipairs", "json", "math", "next",
    "pairs", "pcall", "rawequal", "rawget", "rawlen", "rawset", "select", "setmetatable", "string",
    "table", "tonumber", "tostring", "type", "xpcall",
  ]

  /// All of them, with the tables and functions of host calls.
  static let globals = library.union(
    HookCall.allCases.map { String($0.rawValue.prefix { $0 != "." }) })
}

import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasStore
import AtlasWire
import GRPCCore

extension WireStatus {
  /// The status of an error of the control machine.
  init(_ error: ControlError) {
    switch error {
    case .notFound(let kind, let name, let nearest):
      var metadata = ["kind": kind, "name": name]
      metadata["nearest"] = nearest
      self.init(
        .notFound, "there is no \(kind) “\(name)”", reason: "NOT_FOUND", metadata: metadata)
    case .refused(let refusal): self.init(refusal)
    case .requestIDReused(let id):
      self.init(
        .invalidArgument, "request id “\(id)” was used for another request",
        reason: "REQUEST_ID_REUSED", metadata: ["hint": "use a new id for every new request"])
    case .overloaded:
      self.init(
        .resourceExhausted, "too many callers are waiting", reason: "OVERLOADED",
        retryDelay: .seconds(1))
    case .shuttingDown:
      self.init(
        .unavailable, "the daemon is shutting down", reason: "SHUTTING_DOWN",
        retryDelay: .seconds(1))
    }
  }

  /// The status of what the engine refuses.
  init(_ refusal: Refusal) {
    switch refusal {
    case .alreadyExists(let what, let name):
      self.init(
        .alreadyExists, "there is already a \(what) “\(name)”", reason: "ALREADY_EXISTS",
        metadata: ["kind": what, "name": name])
    case .notAllowed(let code, let message, let hint):
      self.init(
        .failedPrecondition, message, reason: code.rawValue, metadata: ["hint": hint])
    case .changed(let message, let hint):
      self.init(.aborted, message, reason: "CHANGED", metadata: ["hint": hint])
    case .invalid(let field, let message): self.init(invalid: field, message)
    case .limit(let message):
      self.init(.resourceExhausted, message, reason: "LIMIT")
    }
  }

  /// A field of the request is wrong.
  init(invalid field: String, _ message: String) {
    self.init(
      .invalidArgument, "\(field): \(message)", reason: "INVALID_FIELD",
      fieldViolations: [.init(field: field, description: message)])
  }

  init(_ error: StoreError) {
    self.init(.unavailable, "the store does not answer: \(error)", reason: "STORE")
  }

  init(_ error: WireError) {
    let code: RPCError.Code = error.kind == .tooLarge ? .resourceExhausted : .invalidArgument
    self.init(code, "\(error)", reason: "INVALID_MESSAGE")
  }
}

/// Reads single fields of requests, with errors that name them.
enum Field {
  static func name<Name: CheckedName>(
    _ text: String, _ field: String, as type: Name.Type = Name.self
  ) throws(WireStatus) -> Name {
    do { return try Name(text) } catch { throw WireStatus(invalid: field, "\(error)") }
  }

  /// Nil for an empty text.
  static func optionalName<Name: CheckedName>(
    _ text: String, _ field: String, as type: Name.Type = Name.self
  ) throws(WireStatus) -> Name? {
    text.isEmpty ? nil : try name(text, field)
  }

  static func names<Name: CheckedName>(
    _ texts: [String], _ field: String
  ) throws(WireStatus) -> [Name] {
    guard texts.count <= Limits.page * 2 else {
      throw WireStatus(invalid: field, "names at most \(Limits.page * 2) things")
    }
    var names: [Name] = []
    for text in texts { names.append(try name(text, field)) }
    return names
  }

  static func ring(_ number: Int32, _ field: String) throws(WireStatus) -> Ring {
    guard let ring = Ring(Int(number)) else {
      throw WireStatus(
        invalid: field, "there is no ring \(number); rings are 0 to \(Ring.last.number)")
    }
    return ring
  }

  static func reason(_ text: String, required: Bool = false) throws(WireStatus) -> String {
    if required, text.isEmpty { throw WireStatus(invalid: "reason", "say why") }
    return text.bounded()
  }

  static func pageSize(_ size: Int32) throws(WireStatus) -> Int {
    guard size >= 0, size <= Int32(Limits.page) else {
      throw WireStatus(invalid: "page_size", "is 0 to \(Limits.page); 0 means \(usualPage)")
    }
    return size == 0 ? usualPage : Int(size)
  }

  private static let usualPage = 100

  /// A page token that is a number; 0 for none.
  static func numberToken(_ token: String) throws(WireStatus) -> UInt64 {
    guard !token.isEmpty else { return 0 }
    guard let number = UInt64(token) else {
      throw WireStatus(invalid: "page_token", "is not one that a page gave")
    }
    return number
  }
}

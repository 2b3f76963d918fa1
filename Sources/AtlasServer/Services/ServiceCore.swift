import AtlasControl
import AtlasEngine
import AtlasModel
import AtlasRuntime
import AtlasStore
import AtlasWire
import Crypto
import GRPCCore

/// What every service needs: the pump to ask, the store for history, and who is asking.
package struct ServiceCore: Sendable {
  package let pump: ControlPump
  package let store: any Store

  package init(pump: ControlPump, store: any Store) {
    self.pump = pump
    self.store = store
  }

  /// Answers a request that changes nothing.
  func read(_ read: Read) async throws(WireStatus) -> ControlAnswer {
    switch await pump.call(.read(read)) {
    case .answer(let answer): return answer
    case .refused(let error): throw WireStatus(error)
    case .repeated: throw WireStatus(.internalError, "a read was answered like a change")
    }
  }

  /// Carries out a change, or gives the answer of the first request with this id.
  func change<Request: WireMessage, Response: ControlAnswered>(
    _ change: Change, _ request: Request, requestID: String, _ context: ServerContext
  ) async throws -> Response {
    guard requestID.utf8.count <= Self.longestRequestID else {
      throw WireStatus(
        invalid: "request_id", "is longer than \(Self.longestRequestID) characters")
    }
    let caller = Caller(
      principal: Principal.name, method: Response.wireName, requestID: requestID,
      contentHash: requestID.isEmpty ? [] : sha256(request.encode()))
    return try await carryOut(change, caller)
  }

  /// The same for a request that came in pieces, and whose answer is known beforehand.
  func change<Response: ControlAnswered>(
    _ change: Change, content: [UInt8], answer: [UInt8], requestID: String
  ) async throws -> Response {
    let caller = Caller(
      principal: Principal.name, method: Response.wireName, requestID: requestID,
      contentHash: requestID.isEmpty ? [] : sha256(content), encodedAnswer: answer)
    let _: Response = try await carryOut(change, caller)
    return try Response(decoding: answer)
  }

  private func carryOut<Response: ControlAnswered>(
    _ change: Change, _ caller: Caller
  ) async throws -> Response {
    switch await pump.call(.change(change, caller)) {
    case .answer(let answer): return try Response(answer)
    case .repeated(let bytes): return try Response(decoding: bytes)
    case .refused(let error): throw WireStatus(error)
    }
  }

  /// Takes reports that came without a session; returns once they are committed.
  func report(_ reports: [CommandReport], from server: ServerName) async throws(WireStatus) {
    if case .refused(let error) = await pump.call(.report(server, reports)) {
      throw WireStatus(error)
    }
  }

  private static let longestRequestID = 64
}

/// SHA-256 of some bytes, as the machine and the store use it.
package func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

/// Who is calling. Until callers prove who they are, it is what they say of themselves.
package enum Principal {
  @TaskLocal package static var name = "anonymous"

  /// The metadata entry in which a client names its user.
  package static let header = "atlas-user"

  /// The name in the metadata, cut to 64 harmless characters.
  package static func name(in metadata: Metadata) -> String {
    guard let text = metadata[stringValues: header].first(where: { _ in true }) else {
      return "anonymous"
    }
    let name = text.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.@".contains($0)) }
    return name.isEmpty ? "anonymous" : String(name.prefix(64))
  }
}

/// Lets every service know who is calling.
package struct PrincipalInterceptor: ServerInterceptor {
  package init() {}

  package func intercept<Input: Sendable, Output: Sendable>(
    request: StreamingServerRequest<Input>, context: ServerContext,
    next:
      @Sendable (StreamingServerRequest<Input>, ServerContext) async throws
      -> StreamingServerResponse<Output>
  ) async throws -> StreamingServerResponse<Output> {
    try await Principal.$name.withValue(Principal.name(in: request.metadata)) {
      try await next(request, context)
    }
  }
}

/// A response that is made from the control machine's answer.
protocol ControlAnswered: WireMessage {
  init(_ answer: ControlAnswer) throws(WireStatus)
}

extension WireStatus {
  /// The machine answered another question than was asked: our defect.
  static var wrongAnswer: WireStatus { WireStatus(.internalError, "the answer does not fit") }
}

/// The bytes of answers, for the control machine, which knows no wire.
package enum AnswerCoding {
  /// - Parameter method: Name of the response message, as ``ServiceCore`` gives it.
  package static func encode(_ method: String, _ answer: ControlAnswer) -> [UInt8] {
    guard let type = WireRegistry.message(named: method) as? any ControlAnswered.Type,
      let response = try? type.init(answer)
    else { return [] }
    return response.encode()
  }
}

import AtlasControl
import AtlasEngine
import AtlasEvidenceFile
import AtlasHooks
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
  let bench = Workbench()
  private let evidence: any EvidenceSource

  package init(pump: ControlPump, store: any Store, evidence: any EvidenceSource) {
    self.pump = pump
    self.store = store
    self.evidence = evidence
  }

  /// What evidence is signed with.
  func evidenceKey() throws(WireStatus) -> EvidenceKey {
    do throws(EvidenceKeyError) {
      return try evidence.key()
    } catch {
      throw WireStatus(
        .failedPrecondition, "evidence cannot be signed: \(error)", reason: "EVIDENCE_KEY")
    }
  }

  /// Files of a revision of the hooks, by path; none when it is not kept any more.
  func hookFiles(of revision: String) -> [HookListing.File] {
    revision.isEmpty ? [] : evidence.hookFiles(of: HookRevisionID(revision))
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
    let caller = try caller(of: Response.self, requestID) { request.encode() }
    return try await carryOut(.change(change, caller), caller)
  }

  /// Who is calling the method that answers with `Response`.
  /// - Parameter content: All bytes that make the request what it is; asked for only when a repeat
  ///   can be known.
  func caller<Response: ControlAnswered>(
    of response: Response.Type, _ requestID: String, content: () -> [UInt8]
  ) throws(WireStatus) -> Caller {
    guard requestID.utf8.count <= Self.longestRequestID else {
      throw WireStatus(
        invalid: "request_id", "is longer than \(Self.longestRequestID) characters")
    }
    return Caller(
      principal: Principal.name, method: Response.wireName, requestID: requestID,
      contentHash: requestID.isEmpty ? [] : sha256(content()))
  }

  /// The answer of the first request with this id; nil when there was none. To be asked before a
  /// request is compared with what is there, because the first one may have changed that.
  func recall<Response: ControlAnswered>(_ caller: Caller) async throws -> Response? {
    guard !caller.requestID.isEmpty else { return nil }
    switch await pump.call(.recall(caller)) {
    case .answer: return nil
    case .repeated(let bytes): return try Response(decoding: bytes)
    case .refused(let error): throw WireStatus(error)
    }
  }

  /// Carries out a change, or gives the answer of the first request with this id.
  func carryOut<Response: ControlAnswered>(
    _ change: ControlRequest, _ caller: Caller
  ) async throws -> Response {
    switch await pump.call(change) {
    case .answer(let answer):
      if let known = caller.encodedAnswer { return try Response(decoding: known) }
      return try Response(answer)
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

import AtlasModel
import AtlasWire
import GRPCCore

/// Calls with one response.
extension Session {
  /// What a generated client offers for one RPC.
  typealias Method<Request, Response> =
    (Request, Metadata, CallOptions) async throws -> Response

  /// Asks for something; nothing changes. Goes on for a moment when the daemon is away.
  ///
  /// - Throws: ``Failure``.
  func read<Request, Response>(
    _ method: Method<Request, Response>, _ request: Request, timeout: Duration? = nil
  ) async throws -> Response {
    let timeout = timeout ?? callTimeout
    return try await attempt(
      within: timeout, patience: min(timeout, CommandLimits.patienceOfReads)
    ) { metadata, options in try await method(request, metadata, options) }
  }

  /// Changes something, once: the request carries an id, and goes under the same id again for as
  /// long as the daemon is away, up to the time allowed.
  ///
  /// - Throws: ``Failure``.
  func change<Request: IdentifiedRequest, Response>(
    _ method: Method<Request, Response>, _ request: Request
  ) async throws -> Response {
    let request = identified(request)
    return try await attempt(within: callTimeout, patience: callTimeout) { metadata, options in
      try await method(request, metadata, options)
    }
  }

  /// `request` with an id that no other request has.
  func identified<Request: IdentifiedRequest>(_ request: Request) -> Request {
    var request = request
    request.requestID = console.newID()
    return request
  }

  /// Makes a call, and makes it again while the daemon is unavailable.
  ///
  /// - Parameters:
  ///   - timeout: for everything together.
  ///   - patience: how long after the first attempt another may begin.
  /// - Throws: ``Failure``.
  func attempt<Response>(
    within timeout: Duration, patience: Duration,
    _ call: (Metadata, CallOptions) async throws -> Response
  ) async throws -> Response {
    do {
      return try await retrying(within: timeout, patience: patience, call)
    } catch let error as RPCError {
      throw Failure(error, at: site(timeout: timeout))
    }
  }

  /// The same as ``attempt(within:patience:_:)``.
  ///
  /// - Throws: `RPCError`.
  func retrying<Response>(
    within timeout: Duration, patience: Duration,
    _ call: (Metadata, CallOptions) async throws -> Response
  ) async throws -> Response {
    let start = console.pacer.now()
    var pause = CommandLimits.retryPauses.first
    var absence: RPCError?
    while true {
      do {
        var options = CallOptions.defaults
        options.timeout = timeout - (console.pacer.now() - start)
        return try await call(metadata, options)
      } catch let error as RPCError where error.code == .deadlineExceeded {
        // What is left of the time may be too short for a call; the reason is the absence before.
        throw absence ?? error
      } catch let error as RPCError where error.code == .unavailable {
        absence = error
        let spent = console.pacer.now() - start
        guard spent + pause < patience else { throw error }
        if pause == CommandLimits.retryPauses.first, patience > CommandLimits.patienceOfReads {
          console.tell("cannot reach \(destination.address) yet; trying for \(patience.text)")
        }
        try await console.pacer.pause(pause)
        pause = min(pause * 2, CommandLimits.retryPauses.longest)
      }
    }
  }
}

/// A request that changes something, and does so once however often it arrives.
protocol IdentifiedRequest: WireMessage {
  /// At most 64 characters; the same for every attempt.
  var requestID: String { get set }
}

extension AtlasV1.CreateCampaignRequest: IdentifiedRequest {}
extension AtlasV1.StartCampaignRequest: IdentifiedRequest {}
extension AtlasV1.PauseCampaignRequest: IdentifiedRequest {}
extension AtlasV1.ResumeCampaignRequest: IdentifiedRequest {}
extension AtlasV1.CancelCampaignRequest: IdentifiedRequest {}
extension AtlasV1.EditCampaignRequest: IdentifiedRequest {}
extension AtlasV1.PromoteRingRequest: IdentifiedRequest {}
extension AtlasV1.RetryServerRunRequest: IdentifiedRequest {}
extension AtlasV1.SkipServerRunRequest: IdentifiedRequest {}
extension AtlasV1.ApproveServerRunRequest: IdentifiedRequest {}
extension AtlasV1.ResolveServerRunRequest: IdentifiedRequest {}
extension AtlasV1.ExcludeUpdateRequest: IdentifiedRequest {}
extension AtlasV1.ReleaseSignatureRequest: IdentifiedRequest {}
extension AtlasV1.WaiveRepresentativeRequest: IdentifiedRequest {}
extension AtlasV1.ImportOptions: IdentifiedRequest {}
extension AtlasV1.PauseClientRequest: IdentifiedRequest {}
extension AtlasV1.PostponeClientRequest: IdentifiedRequest {}
extension AtlasV1.ResumeClientRequest: IdentifiedRequest {}
extension AtlasV1.DeclareOutageRequest: IdentifiedRequest {}
extension AtlasV1.EndOutageRequest: IdentifiedRequest {}
extension AtlasV1.DismissServerRequest: IdentifiedRequest {}
extension AtlasV1.RecallServerRequest: IdentifiedRequest {}
extension AtlasV1.LockServerRequest: IdentifiedRequest {}
extension AtlasV1.UnlockServerRequest: IdentifiedRequest {}
extension AtlasV1.RetireServerRequest: IdentifiedRequest {}
extension AtlasV1.EmergencyStopRequest: IdentifiedRequest {}
extension AtlasV1.ReleaseStopRequest: IdentifiedRequest {}
extension AtlasV1.ReloadHooksRequest: IdentifiedRequest {}

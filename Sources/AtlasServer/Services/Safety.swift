import AtlasControl
import AtlasModel
import AtlasWire
import GRPCCore

/// `atlas.v1.SafetyService`: the emergency stop.
package struct Safety: AtlasV1.SafetyService.Server {
  private let core: ServiceCore

  package init(_ core: ServiceCore) { self.core = core }

  package func emergencyStop(
    _ request: AtlasV1.EmergencyStopRequest, context: ServerContext
  ) async throws -> AtlasV1.EmergencyStopResponse {
    try await core.change(
      .stop(
        try Field.optionalName(request.client, "client"),
        reason: try Field.reason(request.reason)),
      request, requestID: request.requestID, context)
  }

  package func releaseStop(
    _ request: AtlasV1.ReleaseStopRequest, context: ServerContext
  ) async throws -> AtlasV1.ReleaseStopResponse {
    try await core.change(
      .releaseStop(
        try Field.optionalName(request.client, "client"),
        reason: try Field.reason(request.reason, required: true)),
      request, requestID: request.requestID, context)
  }

  package func getStop(
    _ request: AtlasV1.GetStopRequest, context: ServerContext
  ) async throws -> AtlasV1.GetStopResponse {
    guard case .stops(let view) = try await core.read(.stops) else {
      throw WireStatus.wrongAnswer
    }
    return AtlasV1.GetStopResponse(
      stops: view.stops.map { .init($0) }, parked: Int32(view.parked),
      inFlight: Int32(view.inFlight), installedNotRebooted: Int32(view.installedNotRebooted))
  }
}

import AtlasModel
import AtlasWire
import GRPCCore

extension Session {
  /// Keeps a stream going: when the daemon goes away, says so and opens it again until it is back.
  /// Ends when the stream ends by itself.
  ///
  /// - Parameters:
  ///   - progress: how far the stream has come; `stream` reports to it.
  ///   - notice: says that the daemon went away; nil tells the console.
  ///   - stream: opens the stream and reads it to its end.
  /// - Throws: ``Failure`` for everything else than a daemon that goes away; also for one that was
  ///   never there.
  func follow(
    _ progress: StreamProgress = StreamProgress(), notice: ((String) -> Void)? = nil,
    _ stream: (Metadata, StreamProgress) async throws -> Void
  ) async throws {
    var pause = CommandLimits.retryPauses.first
    while true {
      do {
        return try await stream(metadata, progress)
      } catch let error as RPCError {
        guard error.code == .unavailable, progress.hasDelivered else {
          throw Failure(error, at: site(timeout: callTimeout))
        }
        if progress.takeDelivered() {
          let text = "lost \(destination.address); waiting for it to come back"
          if let notice { notice(text) } else { console.tell(text) }
          pause = CommandLimits.retryPauses.first
        }
        try await console.pacer.pause(pause)
        pause = min(pause * 2, CommandLimits.retryPauses.longest)
      }
    }
  }
}

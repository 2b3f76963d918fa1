import AtlasHooks
import AtlasModel
import Synchronization

/// Hands the lines that hooks write to those who watch them.
///
/// A watcher that reads too slowly misses the oldest lines it has not read; nobody waits for it.
package final class HookLogFeed: Sendable {
  private struct Watcher {
    let campaign: CampaignName?
    let client: ClientName?
    let lines: AsyncStream<HookLogRecord>.Continuation
  }

  private struct State {
    var next: UInt64 = 0
    var watchers: [UInt64: Watcher] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  /// Does not block.
  package func publish(_ record: HookLogRecord) {
    let interested = state.withLock { state in
      state.watchers.values.filter {
        ($0.campaign ?? record.campaign) == record.campaign
          && ($0.client ?? record.client) == record.client
      }
    }
    for watcher in interested { watcher.lines.yield(record) }
  }

  /// The lines from now on, until the reading task ends.
  /// - Returns: nil when ``Limits/logWatchers`` read already.
  package func watch(
    campaign: CampaignName?, client: ClientName?
  ) -> AsyncStream<HookLogRecord>? {
    let (stream, lines) = AsyncStream<HookLogRecord>.makeStream(
      bufferingPolicy: .bufferingNewest(Limits.waitingLogLines))
    let number: UInt64? = state.withLock { state in
      guard state.watchers.count < Limits.logWatchers else { return nil }
      state.next += 1
      state.watchers[state.next] = Watcher(campaign: campaign, client: client, lines: lines)
      return state.next
    }
    guard let number else { return nil }
    lines.onTermination = { [weak self] _ in
      _ = self?.state.withLock { $0.watchers.removeValue(forKey: number) }
    }
    return stream
  }

  /// Ends what everybody watches.
  package func close() {
    let watchers = state.withLock { state in
      defer { state.watchers = [:] }
      return state.watchers.values.map(\.lines)
    }
    for lines in watchers { lines.finish() }
  }
}

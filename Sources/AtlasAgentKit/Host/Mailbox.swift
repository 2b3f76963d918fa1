import Dispatch
import Synchronization

/// Where other threads and tasks leave what the host's thread has to look at.
package final class Mailbox<Item: Sendable>: Sendable {
  private let items = Mutex<[Item]>([])
  private let bell = DispatchSemaphore(value: 0)

  package init() {}

  /// - Returns: How many items wait now.
  @discardableResult
  package func post(_ item: Item) -> Int {
    let count = items.withLock { items in
      items.append(item)
      return items.count
    }
    if count == 1 { bell.signal() }
    return count
  }

  /// Everything that was posted, in order. Waits until there is something, or until `deadline`.
  func take(until deadline: ContinuousClock.Instant?) -> [Item] {
    let taken = takeNow()
    if !taken.isEmpty { return taken }
    if let deadline {
      let wait = ContinuousClock.now.duration(to: deadline)
      let nanoseconds =
        Int(clamping: wait.components.seconds) &* 1_000_000_000
        &+ Int(clamping: wait.components.attoseconds / 1_000_000_000)
      _ = bell.wait(timeout: .now() + .nanoseconds(max(nanoseconds, 0)))
    } else {
      bell.wait()
    }
    return takeNow()
  }

  private func takeNow() -> [Item] {
    items.withLock { items in
      let taken = items
      items = []
      return taken
    }
  }
}

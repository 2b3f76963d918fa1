/// Deadlines of many things, earliest first; equal ones in the order they were added. All timers
/// of a process share one, so that no task or thread sleeps for each.
struct TimerHeap<Timer> {
  private struct Entry {
    var deadline: ContinuousClock.Instant
    var serial: UInt64
    var timer: Timer

    func isBefore(_ other: Entry) -> Bool {
      (deadline, serial) < (other.deadline, other.serial)
    }
  }

  private var entries: [Entry] = []
  private var serial: UInt64 = 0

  var nextDeadline: ContinuousClock.Instant? { entries.first?.deadline }
  var count: Int { entries.count }

  mutating func add(_ timer: Timer, at deadline: ContinuousClock.Instant) {
    serial += 1
    entries.append(Entry(deadline: deadline, serial: serial, timer: timer))
    var child = entries.count - 1
    while child > 0, entries[child].isBefore(entries[(child - 1) / 2]) {
      entries.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// Takes the earliest timer whose deadline has come.
  mutating func popDue(at now: ContinuousClock.Instant) -> Timer? {
    guard let first = entries.first, first.deadline <= now else { return nil }
    let last = entries.removeLast()
    guard !entries.isEmpty else { return first.timer }
    entries[0] = last
    var parent = 0
    while let child = smallerChild(of: parent), entries[child].isBefore(entries[parent]) {
      entries.swapAt(child, parent)
      parent = child
    }
    return first.timer
  }

  private func smallerChild(of parent: Int) -> Int? {
    let left = 2 * parent + 1
    guard left < entries.count else { return nil }
    let right = left + 1
    return right < entries.count && entries[right].isBefore(entries[left]) ? right : left
  }
}

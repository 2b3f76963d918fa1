import AtlasModel
import HeapModule

/// Deadlines in order of time. Entries are never taken out early: what is due is checked against
/// the state, and an entry that no longer fits is ignored. A run has one for its steps, which moves
/// on to the deadline of the newest when it fires: most are never reached.
struct TimerQueue: Sendable {
  enum Target: Hashable, Sendable {
    /// The step of a run is overdue, or its wait is over.
    case run(RunRef)
    /// An installer has reported nothing for long.
    case quiet(RunRef)
    /// The agent of a run has been silent too long.
    case silence(RunRef)
    /// A run should be done, as far as history knows.
    case late(RunRef)
    /// A held run should have been decided by now.
    case hold(RunRef)
    /// A lane may go on.
    case lane(CampaignID, Int32)
    /// A gate's soak may be over.
    case gate(CampaignID, Ring)
    /// Starts are allowed again after a cap on their rate.
    case starts(CampaignID)
    /// The campaign ends.
    case end(CampaignID)
    /// A server's lock ends by itself.
    case lock(ServerID)
    /// An outage of the client begins or ends.
    case outage(ClientID)
    /// The windows of a client are known half as far ahead as they should be.
    case windows(ClientID)
    /// All servers of a client may be out of contact.
    case dark(ClientID)
    /// Lost contact has lasted as long as it may; nil for the whole fleet.
    case contact(ClientID?)
    /// An update source may be tried again.
    case source(CampaignID)
    /// A client is not postponed any more.
    case postponed(ClientID)
  }

  struct Entry: Comparable, Sendable {
    let at: Instant
    /// Entries for the same instant come in the order in which they were added.
    let number: UInt64
    let target: Target

    static func == (left: Entry, right: Entry) -> Bool {
      left.at == right.at && left.number == right.number
    }

    static func < (left: Entry, right: Entry) -> Bool {
      let (first, second) = (left.at.milliseconds, right.at.milliseconds)
      return first != second ? first < second : left.number < right.number
    }
  }

  private var heap = Heap<Entry>()
  private var nextNumber: UInt64 = 0

  var first: Instant? { heap.min?.at }

  mutating func add(_ target: Target, at: Instant) {
    guard at != .distantFuture else { return }
    heap.insert(Entry(at: at, number: nextNumber, target: target))
    nextNumber += 1
  }

  /// The next target that is due at `now`, taken out.
  mutating func pop(due now: Instant) -> Entry? {
    guard let first = heap.min, first.at <= now else { return nil }
    return heap.popMin()
  }
}

/// Lanes that wait for a cap, the one that should go first in front.
struct LaneQueue: Sendable {
  /// Lanes that have started first, then priority, most remaining work, name.
  struct Entry: Comparable, Sendable {
    let started: Bool
    let priority: Int
    let remaining: Int
    let name: ClientName
    let lane: Int32

    static func < (left: Entry, right: Entry) -> Bool {
      if left.started != right.started { return left.started }
      if left.priority != right.priority { return left.priority < right.priority }
      if left.remaining != right.remaining { return left.remaining > right.remaining }
      return left.name < right.name
    }
  }

  private var heap = Heap<Entry>()

  var first: Entry? { heap.min }
  mutating func insert(_ entry: Entry) { heap.insert(entry) }
  mutating func popFirst() -> Entry? { heap.popMin() }
}

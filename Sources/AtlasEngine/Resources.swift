import AtlasModel
import HeapModule

/// Something that servers of any client share, such as a datastore, and who waits for it.
struct Resource: Sendable {
  let name: ResourceName
  /// Runs that hold a slot and use it, in all campaigns.
  var inUse = 0
  /// Those of them that are in progress: the others wait for people.
  var working = 0
  /// The smallest number that any running campaign allows; nil for no limit.
  var limit: Int?
  /// Lanes that could start a server but for it, the one that should go first in front.
  var waiting = ResourceQueue()

  init(name: ResourceName) { self.name = name }

  var isFull: Bool { limit.map { inUse >= $0 } ?? false }
}

/// Lanes of all campaigns that wait for a resource.
struct ResourceQueue: Sendable {
  /// A client that is worked on one after the other goes on first; then client priority, most
  /// remaining work, name, then the campaign that was started first.
  struct Entry: Comparable, Sendable {
    let started: Bool
    let priority: Int
    let remaining: Int
    let name: ClientName
    let startNumber: Int32
    let lane: LaneRef

    static func == (left: Entry, right: Entry) -> Bool { left.lane == right.lane }

    static func < (left: Entry, right: Entry) -> Bool {
      if left.started != right.started { return left.started }
      if left.priority != right.priority { return left.priority < right.priority }
      if left.remaining != right.remaining { return left.remaining > right.remaining }
      return left.name != right.name
        ? left.name < right.name : left.startNumber < right.startNumber
    }
  }

  /// The lanes of one campaign, never none.
  private struct Part: Sendable {
    let campaign: CampaignID
    var heap: Heap<Entry>
  }

  /// One for each campaign with lanes that wait: one whose caps are reached is passed by whole.
  private var parts: [Part] = []
  /// The lanes that wait, each once, and whether its client was worked on when it came. Only looked
  /// up.
  private var lanes: [LaneRef: Bool] = [:]

  var isEmpty: Bool { lanes.isEmpty }

  var campaigns: [CampaignID] { parts.map(\.campaign) }

  /// A lane that waits already is moved to the front of the others once its client is worked on.
  mutating func insert(_ entry: Entry) {
    if let started = lanes[entry.lane], started || !entry.started { return }
    lanes[entry.lane] = entry.started
    if let part = parts.firstIndex(where: { $0.campaign == entry.lane.campaign }) {
      parts[part].heap.insert(entry)
    } else {
      parts.append(Part(campaign: entry.lane.campaign, heap: [entry]))
    }
  }

  /// The lane that should go first, of those of campaigns that are not passed by.
  mutating func popFirst(passing passed: [CampaignID]) -> Entry? {
    while let first = popFirstEntry(passing: passed) {
      // Otherwise it has been moved to the front, and has gone.
      if lanes.removeValue(forKey: first.lane) != nil { return first }
    }
    return nil
  }

  private mutating func popFirstEntry(passing passed: [CampaignID]) -> Entry? {
    var best: Int?
    for part in parts.indices where !passed.contains(parts[part].campaign) {
      guard let first = parts[part].heap.min else { continue }
      if let other = best, let least = parts[other].heap.min, least < first { continue }
      best = part
    }
    guard let best, let first = parts[best].heap.popMin() else { return nil }
    if parts[best].heap.isEmpty { parts.remove(at: best) }
    return first
  }
}

/// Caps that are not the campaign's: servers of one site of a client, and what servers share. A run
/// uses one unit of everything that its server names, from slot taken to slot returned.
extension ControlState {
  /// The cap that keeps a run from starting; nil when none does.
  func capOfServer(_ ref: RunRef) -> Waiting? {
    if let most = rules(of: ref).perSite, inProgress(atSiteOf: ref) >= most { return .site }
    guard !resources.isEmpty, !Plant.resourceLimitIgnored.isOn else { return nil }
    let server = Int(self[ref].server.index)
    for number in profiles[Int(servers[server].profile)].resources {
      let index = Int(number)
      guard resources[index].limit != nil else { continue }
      if resources[index].isFull { return .resource(resources[index].name) }
      // Whoever waited longer, or matters more, goes first.
      if !resources[index].waiting.isEmpty, granted != laneRef(ref) {
        return .resource(resources[index].name)
      }
    }
    return nil
  }

  private func laneRef(_ ref: RunRef) -> LaneRef {
    LaneRef(campaign: ref.campaign, lane: self[ref].lane)
  }

  /// Servers in progress at the site of a run's server: of its client only, which has few slots.
  private func inProgress(atSiteOf ref: RunRef) -> Int {
    let server = servers[Int(self[ref].server.index)]
    let site = server.config.site
    return clients[Int(server.client.index)].lanes.reduce(0) { sum, lane in
      let campaign = Int(lane.campaign.index)
      return sum
        + campaigns[campaign].lanes[Int(lane.lane)].active.count {
          let other = Int(campaigns[campaign].runs[Int($0)].server.index)
          return servers[other].config.site == site
        }
    }
  }

  /// The lane of a run is told when there may be a place.
  mutating func wait(_ ref: RunRef, for name: ResourceName) {
    guard let number = resourceNumbers[name] else { return }
    let lane = laneRef(ref)
    let client = Int(clientOf(ref).index)
    let entry = ResourceQueue.Entry(
      started: hasBegun(lane), priority: clients[client].config.priority,
      remaining: campaigns[ref.campaign].lanes[Int(lane.lane)].queue.count,
      name: clients[client].config.name, startNumber: campaigns[ref.campaign].startNumber,
      lane: lane)
    resources[Int(number)].waiting.insert(entry)
    if !resources[Int(number)].isFull { markResource(number) }
  }

  mutating func takeResources(_ ref: RunRef) {
    guard !resources.isEmpty else { return }
    for number in profiles[Int(servers[self[ref].server].profile)].resources {
      resources[Int(number)].inUse += 1
    }
  }

  mutating func returnResources(_ ref: RunRef) {
    guard !resources.isEmpty else { return }
    for number in profiles[Int(servers[self[ref].server].profile)].resources {
      resources[Int(number)].inUse -= 1
      markResource(number)
    }
  }

  /// Keeps ``Resource/working``.
  mutating func countWorking(_ ref: RunRef, by change: Int) {
    guard !resources.isEmpty else { return }
    for number in profiles[Int(servers[self[ref].server].profile)].resources {
      resources[Int(number)].working += change
    }
  }

  /// Whether everything that uses a resource waits for people.
  func waitsForPeople(_ name: ResourceName) -> Bool {
    resourceNumbers[name].map { resources[Int($0)].working == 0 } ?? false
  }

  private mutating func markResource(_ number: Int32) {
    if !dirtyResources.contains(number) { dirtyResources.append(number) }
  }

  /// Gives free places of a resource to the lanes that wait for it, in order. One that has something
  /// else to wait for comes again when that is over.
  ///
  /// No more lanes leave the queue than there are places, nor those of a campaign that may start
  /// nothing: in a fleet where all servers share one thing, each of its queues would be poured
  /// into the other at each event.
  mutating func drainResource(_ number: Int32, now: Instant) {
    dirtyResources.removeAll { $0 == number }
    var promised = 0
    while hasPlace(number, beside: promised), let lane = popWaiting(for: number, now: now) {
      granted = lane
      admit(from: lane, now: now)
      granted = nil
      guard campaigns[lane.campaign].lanes[Int(lane.lane)].isCapped else { continue }
      // It goes on when its campaign's caps are looked at, and may not want the place then.
      promised += 1
      lookAgain(number, after: lane.campaign)
    }
  }

  private func hasPlace(_ number: Int32, beside promised: Int) -> Bool {
    resources[Int(number)].limit.map { resources[Int(number)].inUse + promised < $0 } ?? true
  }

  /// The lane that should go first, of those that no cap keeps from starting anything.
  private mutating func popWaiting(for number: Int32, now: Instant) -> LaneRef? {
    var full = resources[Int(number)].waiting.campaigns.filter {
      hasCap($0) && capReached($0, now: now)
    }
    var passedBy: [ResourceQueue.Entry] = []
    defer {
      for entry in passedBy { resources[Int(number)].waiting.insert(entry) }
      for campaign in full { lookAgain(number, after: campaign) }
    }
    while let entry = resources[Int(number)].waiting.popFirst(passing: full) {
      if mayBeActive(entry.lane) { return entry.lane }
      lookAgain(number, after: entry.lane.campaign)
      passedBy.append(entry)
      // No more clients: those that were never worked on come after all that were.
      if !entry.started { full.append(entry.lane.campaign) }
    }
    return nil
  }

  private mutating func lookAgain(_ number: Int32, after campaign: CampaignID) {
    if !campaigns[campaign].awaitedByCaps.contains(number) {
      campaigns[campaign].awaitedByCaps.append(number)
    }
  }

  /// The caps of a campaign have been looked at: what its lanes share with others may have a place
  /// for them now, or for others.
  mutating func markResources(awaitedBy campaign: CampaignID) {
    for number in campaigns[campaign].awaitedByCaps { markResource(number) }
    campaigns[campaign].awaitedByCaps.removeAll(keepingCapacity: true)
  }

  /// Where the use of what servers share differs from that of a state that was loaded.
  package func resourceDifferences(from loaded: ControlState) -> [String] {
    resources.compactMap { mine in
      let number = loaded.resourceNumbers[mine.name]
      let theirs = number.map { loaded.resources[Int($0)] } ?? Resource(name: mine.name)
      guard theirs.inUse != mine.inUse || theirs.working != mine.working else { return nil }
      return "\(mine.name) is used by \(mine.inUse), \(mine.working) working; "
        + "counted \(theirs.inUse), \(theirs.working)"
    }
  }

  /// The limits of what servers share, after a campaign has started or ended.
  mutating func limitResources() {
    for index in resources.indices { resources[index].limit = nil }
    for campaign in campaigns where campaign.state.isRunning {
      for asked in campaign.policy.resources {
        guard let number = resourceNumbers[asked.name] else { continue }
        let index = Int(number)
        resources[index].limit = min(resources[index].limit ?? asked.limit, asked.limit)
      }
    }
    for index in resources.indices { markResource(Int32(index)) }
  }
}

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
  /// Client priority, most remaining work, name, then the campaign that was started first.
  struct Entry: Comparable, Sendable {
    let priority: Int
    let remaining: Int
    let name: ClientName
    let startNumber: Int32
    let lane: LaneRef

    static func == (left: Entry, right: Entry) -> Bool { left.lane == right.lane }

    static func < (left: Entry, right: Entry) -> Bool {
      if left.priority != right.priority { return left.priority < right.priority }
      if left.remaining != right.remaining { return left.remaining > right.remaining }
      return left.name != right.name
        ? left.name < right.name : left.startNumber < right.startNumber
    }
  }

  private var heap = Heap<Entry>()
  /// Only looked up: a lane is in the queue once.
  private var lanes: Set<LaneRef> = []

  var isEmpty: Bool { lanes.isEmpty }

  mutating func insert(_ entry: Entry) {
    if lanes.insert(entry.lane).inserted { heap.insert(entry) }
  }

  mutating func popFirst() -> Entry? {
    guard let first = heap.popMin() else { return nil }
    lanes.remove(first.lane)
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
      priority: clients[client].config.priority,
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
  mutating func drainResource(_ number: Int32, now: Instant) {
    dirtyResources.removeAll { $0 == number }
    while !resources[Int(number)].isFull,
      let entry = resources[Int(number)].waiting.popFirst()
    {
      granted = entry.lane
      admit(from: entry.lane, now: now)
      granted = nil
    }
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

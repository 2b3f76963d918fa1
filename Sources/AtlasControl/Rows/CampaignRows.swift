import AtlasEngine
import AtlasModel

/// A campaign without its runs, as a row.
extension ByteWriter {
  mutating func put(_ set: UpdateSet) {
    put(set.include) { $0.put($1) }
    put(set.exclude) { $0.put($1) }
    put(set.required) { $0.put($1) }
    put(set.cutOff) { $0.put($1) }
  }

  mutating func put(_ campaign: Campaign) {
    put(campaign.name)
    put(campaign.author)
    put(campaign.selection)
    put(campaign.updateSet)
    put(campaign.policy)
    put(campaign.overrides)
    put(campaign.changeReference)
    put(campaign.createdAt)
    put(campaign.rollbackOf) { $0.put(Int($1.index)) }
    put(campaign.state)
    put(campaign.pauses) {
      $0.put($1.scope)
      $0.put($1.latch)
    }
    put(campaign.heldLanes) { $0.put($1) }
    put(campaign.startedAt) { $0.put($1) }
    put(campaign.endedAt) { $0.put($1) }
    put(campaign.endsAt) { $0.put($1) }
    put(Int(campaign.startNumber))
    put(campaign.hookRevision)
    put(UInt64(campaign.version))
    put(campaign.lanes) {
      $0.put(Int($1.client.index))
      $0.put(Int($1.ring.number))
    }
    put(campaign.rings) { $0.put(StoredRing($1)) }
    put(campaign.safety)
  }

  mutating func put(_ earlier: EarlierPolicy) {
    put(earlier.until)
    put(earlier.policy)
    put(earlier.overrides)
  }

  private mutating func put(_ overrides: [ClientPolicy]) {
    put(overrides) {
      $0.put(Int($1.client.index))
      $0.put($1.policy)
    }
  }

  private mutating func put(_ selection: Selection) {
    put(selection.clients) { $0.put($1) }
    put(selection.rings) { $0.put(Int($1.number)) }
    put(selection.sites) { $0.put($1) }
    put(selection.roles) { $0.put($1) }
    put(selection.servers) { $0.put($1) }
    put(selection.tags) { $0.put($1) }
    put(selection.names) { $0.put($1.text) }
    put(selection.failedIn) { $0.put($1) }
  }

  private mutating func put(_ scope: PauseScope) {
    switch scope {
    case .all:
      put(0)
      put(0)
    case .ring(let ring):
      put(1)
      put(Int(ring.number))
    case .client(let client):
      put(2)
      put(Int(client.index))
    }
  }

  private mutating func put(_ ring: StoredRing) {
    put(ring.status)
    put(ring.gate)
    put(ring.startedAt) { $0.put($1) }
    put(ring.completedAt) { $0.put($1) }
    put(ring.soakingSince) { $0.put($1) }
    put(ring.soaked)
    put(ring.promoted)
    put(ring.approved)
  }
}

extension ByteReader {
  mutating func updateSet() throws -> UpdateSet {
    UpdateSet(
      include: try array { try $0.name() }, exclude: try array { try $0.name() },
      required: try array { try $0.name() }, cutOff: try optional { try $0.instant() })
  }

  mutating func campaign() throws -> StoredCampaign {
    var header = Campaign(
      name: try name(), author: try string(), selection: try selection(),
      updateSet: try updateSet(), policy: try policy(),
      overrides: try overrides(),
      changeReference: try string(), createdAt: try instant(),
      rollbackOf: version < 4 ? nil : try optional { CampaignID(try $0.int()) })
    header.state = try value()
    header.pauses = try array { Pause(scope: try $0.scope(), latch: try $0.latch()) }
    header.heldLanes = try array { try $0.heldLane() }
    header.startedAt = try optional { try $0.instant() }
    header.endedAt = try optional { try $0.instant() }
    header.endsAt = try optional { try $0.instant() }
    header.startNumber = Int32(truncatingIfNeeded: try int())
    header.hookRevision = try string()
    header.version = UInt32(truncatingIfNeeded: try unsigned())
    let lanes = try array { reader -> (client: ClientID, ring: Ring) in
      (client: ClientID(try reader.int()), ring: try reader.ring())
    }
    let rings = try array { try $0.storedRing() }
    if version >= 3 { header.safety = try safety() }
    if version == 5 || version == 6 {
      header.restore(earlier: try array { try $0.earlierPolicy() })
    }
    return StoredCampaign(header: header, lanes: lanes, rings: rings, runs: [])
  }

  mutating func earlierPolicy() throws -> EarlierPolicy {
    EarlierPolicy(until: try instant(), policy: try policy(), overrides: try overrides())
  }

  private mutating func overrides() throws -> [ClientPolicy] {
    try array { ClientPolicy(client: ClientID(try $0.int()), policy: try $0.policy()) }
  }

  private mutating func selection() throws -> Selection {
    var selection = Selection(
      clients: try array { try $0.name() }, rings: try array { try $0.ring() },
      sites: try array { try $0.name() }, roles: try array { try $0.name() },
      servers: try array { try $0.name() })
    guard version >= 3 else { return selection }
    selection.tags = try array { try $0.name() }
    selection.names = try array { NamePattern(trusted: try $0.string()) }
    selection.failedIn = try optional { try $0.name() }
    return selection
  }

  private mutating func scope() throws -> PauseScope {
    let kind = try int()
    let number = try int()
    switch kind {
    case 0: return .all
    case 1:
      guard let ring = Ring(number) else { throw bad("there is no ring \(number)") }
      return .ring(ring)
    case 2: return .client(ClientID(number))
    case _: throw bad("\(kind) is not a scope")
    }
  }

  private mutating func storedRing() throws -> StoredRing {
    var ring = StoredRing(
      status: try value(), gate: try value(), startedAt: try optional { try $0.instant() },
      completedAt: try optional { try $0.instant() },
      soakingSince: try optional { try $0.instant() }, soaked: try bool(), approved: false,
      promoted: try bool())
    // Before, a person's approval opened a gate for good.
    ring.approved = version < 8 ? ring.promoted : try bool()
    return ring
  }
}

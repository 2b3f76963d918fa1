import AtlasEngine
import AtlasModel

/// What keeps parts of a campaign from going on, as part of its row.
extension ByteWriter {
  mutating func put(_ held: HeldLane) {
    put(Int(held.client.index))
    put(held.latch)
  }

  mutating func put(_ safety: CampaignSafety) {
    put(safety.sampleSince) { $0.put($1) }
    put(safety.laneResumes) {
      $0.put(Int($1.client.index))
      $0.put($1.at)
    }
    put(safety.signatures) {
      $0.put($1.kind)
      $0.put($1.phase)
      $0.put($1.cause)
      $0.put($1.clients) { $0.put(Int($1.index)) }
      $0.put($1.lastAt)
    }
    put(safety.held) {
      $0.put($1.kind)
      $0.put($1.phase)
      $0.put($1.cause)
      $0.put($1.update) { $0.put($1) }
      $0.put($1.latch)
    }
    put(safety.waivers) {
      $0.put($1.role) { $0.put($1) }
      $0.put($1.system) { $0.put($1) }
      $0.put($1.latch)
    }
    put(safety.sourceHolds) {
      $0.put($1.client) { $0.put(Int($1.index)) }
      $0.put($1.latch)
      $0.put($1.nextTry)
      $0.put($1.tries)
      $0.put($1.probe) { $0.put(Int($1)) }
    }
    put(safety.sourceFaults) {
      $0.put($1.at)
      $0.put(Int($1.client.index))
      $0.put(Int($1.run))
      $0.put($1.isAlone)
    }
  }

  private mutating func put(_ kind: ServerKind) {
    put(kind.role) { $0.put($1) }
    put(kind.system)
  }

  mutating func put(_ hold: ContactHold) {
    put(hold.since)
    put(hold.sessions)
  }

  mutating func put(_ breakers: Breakers) {
    put(breakers.maxFailedPerClient) { $0.put($1) }
    put(breakers.successRate) { $0.put($1) }
    put(breakers.sample)
    put(breakers.signatureClients) { $0.put($1) }
    put(breakers.sourceClients) { $0.put($1) }
    put(breakers.sourceServers) { $0.put($1) }
  }

  mutating func put(_ limit: ResourceLimit) {
    put(limit.name)
    put(limit.limit)
  }
}

extension ByteReader {
  /// Version 2 knew who, and not why or since when.
  mutating func heldLane() throws -> HeldLane {
    let client = ClientID(try int())
    guard version >= 3 else {
      let latch = Latch(
        reason: "a server of the lane failed", principal: "engine",
        since: Instant(milliseconds: 0))
      return HeldLane(client: client, latch: latch)
    }
    return HeldLane(client: client, latch: try latch())
  }

  mutating func safety() throws -> CampaignSafety {
    CampaignSafety(
      sampleSince: try optional { try $0.instant() },
      laneResumes: try array { LaneResume(client: ClientID(try $0.int()), at: try $0.instant()) },
      signatures: try array { reader -> Signature in
        Signature(
          kind: try reader.serverKind(), phase: try reader.value(), cause: try reader.string(),
          clients: try reader.array { ClientID(try $0.int()) }, lastAt: try reader.instant())
      },
      held: try array { reader -> HeldSignature in
        HeldSignature(
          kind: try reader.serverKind(), phase: try reader.value(), cause: try reader.string(),
          update: try reader.optional { try $0.name() }, latch: try reader.latch())
      },
      waivers: try array { reader -> Waiver in
        Waiver(
          role: try reader.optional { try $0.name() },
          system: try reader.optional { try $0.string() }, latch: try reader.latch())
      },
      sourceHolds: try array { try $0.sourceHold() },
      sourceFaults: try array { reader -> SourceFault in
        SourceFault(
          at: try reader.instant(), client: ClientID(try reader.int()),
          run: Int32(truncatingIfNeeded: try reader.int()), isAlone: try reader.bool())
      })
  }

  private mutating func sourceHold() throws -> SourceHold {
    SourceHold(
      client: try optional { ClientID(try $0.int()) }, latch: try latch(), nextTry: try instant(),
      tries: try int(), probe: try optional { Int32(truncatingIfNeeded: try $0.int()) })
  }

  private mutating func serverKind() throws -> ServerKind {
    ServerKind(role: try optional { try $0.name() }, system: try string())
  }

  mutating func contactHold() throws -> ContactHold {
    ContactHold(since: try instant(), sessions: try int())
  }

  mutating func breakers() throws -> Breakers {
    var breakers = Breakers()
    breakers.maxFailedPerClient = try optional { try $0.int() }
    breakers.successRate = try optional { try $0.int() }
    breakers.sample = try int()
    breakers.signatureClients = try optional { try $0.int() }
    breakers.sourceClients = try optional { try $0.int() }
    breakers.sourceServers = try optional { try $0.int() }
    return breakers
  }

  mutating func resourceLimit() throws -> ResourceLimit {
    ResourceLimit(name: try name(), limit: try int())
  }
}

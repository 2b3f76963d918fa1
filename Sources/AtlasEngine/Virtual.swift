import AtlasModel

/// Shortcuts for working a campaign through in virtual time: plans, and the lower bound of what
/// could have been. They go through ``move(_:to:_:now:reason:by:)`` like everything else, so that
/// slots, counters and gates are the real ones.
extension ControlState {
  /// How a run that is in progress is to end.
  package enum VirtualEnd: Hashable, Sendable {
    case terminal(Ending)
    case held(Hold)
  }

  /// Makes a run in progress wait for nothing but ``conclude(_:_:now:)``: it keeps its slot, and no
  /// time limit, stop or pause ends it before. FINALIZE is the phase that nothing interrupts.
  package mutating func occupy(_ ref: RunRef) {
    guard case .inProgress = self[ref].state else { return }
    self[ref].state = .inProgress(Work(.finalize, .hook(.finalize), ending: .givenBack))
    self[ref].deadline = nil
    self[ref].quietDeadline = nil
    self[ref].silenceDeadline = nil
  }

  /// Ends a run in progress as if all its phases had passed.
  package mutating func conclude(_ ref: RunRef, _ outcome: VirtualEnd, now: Instant) -> [Effect] {
    guard case .inProgress = self[ref].state else { return [] }
    switch outcome {
    case .terminal(let ending):
      end(ref, ending, now: now)
      // Nothing of an ended run is looked at again here but its times.
      self[ref].details = RunDetails()
    case .held(let hold): self.hold(ref, hold, "as it was", now: now)
    }
    settleDirty(now: now)
    return takeEffects()
  }

  /// How a run goes that holds its slot and that nothing happens to: it takes its estimate and is
  /// completed. One whose end is known, so that only cleaning up remains, takes no more time.
  package func virtualCourse(of ref: RunRef) -> (Duration, VirtualEnd) {
    if case .inProgress(let work) = self[ref].state, let ending = work.ending {
      return (.zero, .terminal(ending))
    }
    return (estimate(of: ref), .terminal(.completed(.updated)))
  }

  /// Runs of all running campaigns that hold a slot, by campaign and lane.
  package var slotHolders: [RunRef] {
    var found: [RunRef] = []
    for campaign in campaigns.indices where campaigns[campaign].state.isRunning {
      for lane in campaigns[campaign].lanes.indices {
        found += campaigns[campaign].lanes[lane].active.map {
          RunRef(campaign: CampaignID(campaign), index: Int($0))
        }
      }
    }
    return found
  }

  /// Runs of a client that hold a slot, in all campaigns; the guests of hosts aside.
  package func slotHolders(of client: ClientID) -> [RunRef] {
    clients[Int(client.index)].lanes.flatMap { lane in
      campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].active.map {
        RunRef(campaign: lane.campaign, index: Int($0))
      }
    }
  }

  /// How many these are. Plans ask at every start: a closure would take a copy of everything along.
  package func slotsHeld(by client: ClientID) -> Int {
    var sum = 0
    for lane in clients[Int(client.index)].lanes {
      sum += campaigns[Int(lane.campaign.index)].lanes[Int(lane.lane)].active.count
    }
    return sum
  }

  /// Whether a run keeps its slot until a person decides something.
  package func keepsSlot(_ ref: RunRef, now: Instant) -> Bool {
    switch self[ref].state {
    case .held: true
    case .parked(let next): parkedWaits(ref, next, now: now)?.needsPerson ?? false
    case .pending, .inProgress, .completed, .failed, .notAttempted, .skipped, .postponed: false
    }
  }

  /// How many runs of a campaign hold a slot.
  package func slotsHeld(in id: CampaignID) -> Int { campaigns[Int(id.index)].counts.inFlight }

  /// Whether no run of a campaign that has started can move any more: each has ended, or is held,
  /// and no person comes.
  package func hasComeToRest(_ id: CampaignID) -> Bool {
    let counts = campaigns[Int(id.index)].counts
    return campaigns[Int(id.index)].state.isTerminal || counts.open == counts[.held]
  }

  /// Takes every agent for connected and for new enough.
  package mutating func connectAll() {
    isVirtual = true
    contact = nil
    for index in clients.indices { clients[index].dark = nil }
    for index in campaigns.indices { campaigns[index].safety.sourceHolds = [] }
    for index in servers.indices {
      servers[index].connected = true
      servers[index].foreign = nil
      if servers[index].agentVersion.isEmpty { servers[index].agentVersion = "virtual" }
    }
    for index in clients.indices {
      clients[index].doubtful = []
      // No hook answers here.
      for lane in clients[index].lanes { stopCheck(lane) }
    }
    // Lanes that waited for an agent are looked at in the next step.
    for index in clients.indices where !clients[index].lanes.isEmpty {
      markDirty(ClientID(index))
    }
  }

  /// A state with the same fleet and windows, and with one campaign as it was before its start.
  package func pristine(_ id: CampaignID) -> ControlState {
    var fresh = ControlState(floors: floors)
    fresh.clients = clients
    fresh.profiles = profiles
    fresh.profileNumbers = profileNumbers
    fresh.kinds = kinds
    fresh.kindNumbers = kindNumbers
    fresh.histories = histories
    fresh.historyOfKind = historyOfKind
    fresh.historyNumbers = historyNumbers
    fresh.resources = resources.map { Resource(name: $0.name) }
    fresh.resourceNumbers = resourceNumbers
    fresh.ringNames = ringNames
    fresh.servers = servers
    fresh.clientByName = clientByName
    fresh.serverByName = serverByName
    for index in fresh.clients.indices {
      fresh.clients[index].slotsInUse = 0
      fresh.clients[index].reserved = 0
      fresh.clients[index].busyHosts = []
      fresh.clients[index].windowsAreOld = false
      fresh.clients[index].lanes = []
      fresh.clients[index].paused = nil
      fresh.clients[index].stop = nil
      fresh.clients[index].postponed = nil
      fresh.clients[index].dark = nil
      fresh.keepOutage(ClientID(index), before: campaigns[id].startedAt)
    }
    for index in fresh.servers.indices {
      fresh.servers[index].openRun = nil
      fresh.servers[index].kept = []
      fresh.servers[index].locked = nil
      if fresh.servers[index].retired {
        fresh.servers[index].retired = false
        fresh.countRoles(of: ServerID(index), 1)
      }
    }
    fresh.connectAll()
    fresh.campaigns = [campaigns[Int(id.index)].pristine()]
    fresh.atlasCampaigns = []
    for index in fresh.campaigns[0].runs.indices {
      fresh.noteAtlas(RunRef(campaign: CampaignID(0), index: index))
    }
    return fresh
  }
}

extension ControlState {
  /// An outage that was declared before the campaign started is there from its start; what people
  /// declared later they do again.
  fileprivate mutating func keepOutage(_ client: ClientID, before start: Instant?) {
    guard let start, let outage = clients[client].outage, outage.declaredAt <= start else {
      return clients[client].outage = nil
    }
    armOutage(client, now: start)
  }
}

extension Campaign {
  /// The same campaign as a draft: first runs only, nothing started.
  fileprivate func pristine() -> Campaign {
    var fresh = Campaign(
      name: name, author: author, selection: selection, updateSet: updateSet,
      policy: earlier.first?.policy ?? policy, overrides: earlier.first?.overrides ?? overrides,
      changeReference: changeReference, createdAt: createdAt)
    fresh.endsAt = endsAt
    // When they were given is not replayed.
    fresh.safety.waivers = safety.waivers
    for lane in lanes {
      var first = Lane(client: lane.client, ring: lane.ring)
      first.narrowed = lane.narrowed
      fresh.lanes.append(first)
      fresh.addRings(upTo: lane.ring)
    }
    for (index, run) in runs.enumerated() where run.retryOf < 0 {
      let first = Run(server: run.server, lane: Int(run.lane), order: Int(run.order))
      fresh.lanes[Int(run.lane)].queue.append(Int32(index))
      fresh.runs.append(first)
      fresh.add(first)
    }
    for lane in fresh.lanes.indices {
      let queue = fresh.lanes[lane].queue
      fresh.lanes[lane].queue = queue.sorted {
        fresh.runs[Int($0)].order < fresh.runs[Int($1)].order
      }
    }
    fresh.openIdleGates()
    return fresh
  }
}

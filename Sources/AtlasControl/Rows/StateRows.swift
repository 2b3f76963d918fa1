import AtlasEngine
import AtlasModel
import AtlasStore

/// Between the engine's state and the rows of the store.
enum StateRows {
  /// Grows when a row's form changes; readers read the older forms too. 2 added what a backup's age
  /// is measured by, who looks after a held run, and the oldest agent that is worked with; 3 breakers,
  /// environment holds, postponements, representatives, and what servers share; 4 outages, dismissals,
  /// orders between servers, hosts, maintenance, snapshots that are kept, rollback campaigns, and how
  /// long phases took; 5 policies that were edited, since when a server has been silent, and snapshots
  /// that are gone; 6 since when a silent server has been awaited, since when it counts, and what
  /// updates relied on; 7 has edited policies in rows of their own, and whether a held run was PARKED;
  /// 8 tells a gate that a person approved of from one that was promoted.
  static let version: UInt8 = 8
  /// The versions that are read.
  static let readable: ClosedRange<UInt8> = 1...version
  /// Number of the one row with the global stop and the counters of the fleet.
  private static let controlRow: Int64 = 1
  /// The owner of settings that are histories of kinds; the one row above has none.
  private static let histories: Int64 = 1
  /// The owner of settings that are plans, by number of the campaign.
  private static let plans: Int64 = 2
  /// The owner of settings that are policies of before, by number of the campaign and, in the lowest
  /// bits, place among its edits.
  private static let earlierPolicies: Int64 = 3
  private static let placeBits: Int64 = 8

  /// The row of one thing of the state, as it is now.
  static func row(_ item: Effect.Item, in state: ControlState) -> StateRow {
    var writer = ByteWriter(version: version)
    switch item {
    case .client(let id):
      let client = state[client: id]
      writer.put(client)
      return StateRow(
        key: StateKey(table: .client, number: Int64(id.index)), name: client.config.name.text,
        state: client.stop != nil ? "STOPPED" : client.paused != nil ? "PAUSED" : "",
        body: writer.bytes)
    case .server(let id):
      let server = state[server: id]
      writer.put(server)
      return StateRow(
        key: StateKey(table: .server, number: Int64(id.index)), name: server.config.name.text,
        state: server.retired ? "RETIRED" : server.locked != nil ? "LOCKED" : "",
        body: writer.bytes)
    case .campaign(let id):
      let campaign = state[campaign: id]
      writer.put(campaign)
      return StateRow(
        key: StateKey(table: .campaign, number: Int64(id.index)), name: campaign.name.text,
        state: campaign.state.word, body: writer.bytes)
    case .run(let ref):
      let run = state[ref]
      writer.put(run)
      return StateRow(
        key: StateKey(
          table: .run, owner: Int64(ref.campaign.index), number: Int64(ref.index)),
        name: state[server: run.server].config.name.text, state: run.state.kind.word,
        body: writer.bytes)
    case .history(let place):
      let history = state.histories[place]
      writer.put(history)
      return StateRow(
        key: StateKey(table: .setting, owner: histories, number: Int64(place)),
        name: "\(history.kind)", body: writer.bytes)
    case .plan(let id):
      writer.put(state[campaign: id].plan) { $0.put($1) }
      return StateRow(
        key: StateKey(table: .setting, owner: plans, number: Int64(id.index)),
        name: state[campaign: id].name.text, body: writer.bytes)
    case .earlierPolicy(let id, let place):
      writer.put(state[campaign: id].earlier[place])
      return StateRow(
        key: StateKey(
          table: .setting, owner: earlierPolicies,
          number: Int64(id.index) << placeBits + Int64(place)),
        name: state[campaign: id].name.text, body: writer.bytes)
    case .control: return controlRow(of: state)
    }
  }

  private static func controlRow(of state: ControlState) -> StateRow {
    var writer = ByteWriter(version: version)
    writer.put(state.fleetVersion)
    writer.put(state.stop) { $0.put($1) }
    writer.put(state.ringNames) { writer, name in
      writer.put(Int(name.ring.number))
      writer.put(name.name)
    }
    writer.put(state.contact) { $0.put($1) }
    return StateRow(
      key: StateKey(table: .setting, number: controlRow), name: "control",
      state: state.stop == nil ? "" : "STOPPED", body: writer.bytes)
  }

  /// Puts the rows of a store together again.
  static func load(_ stored: StoredState) throws(RowError) -> StoredControl {
    var control = StoredControl()
    control.fence = Fence(stored.meta?.fence ?? 0)
    control.writtenAt = stored.meta?.campaignTime
    guard control.fence.number <= Limits.highestFence else {
      throw RowError(row: "counter of fences", problem: "\(control.fence.number) was never drawn")
    }
    for row in stored.rows {
      try RowError.catching { try load(row, into: &control) }
    }
    return control
  }

  private static func load(_ row: StateRow, into control: inout StoredControl) throws {
    let label = "\(row.key.table) \(row.key.number) (\(row.name))"
    var reader = try ByteReader(row.body, versions: readable, row: label)
    switch row.key.table {
    case .client:
      guard row.key.number == Int64(control.clients.count) else { throw reader.bad("a gap") }
      control.clients.append(try reader.client())
    case .server:
      guard row.key.number == Int64(control.servers.count) else { throw reader.bad("a gap") }
      control.servers.append(try reader.server())
    case .campaign:
      guard row.key.number == Int64(control.campaigns.count) else { throw reader.bad("a gap") }
      control.campaigns.append(try reader.campaign())
    case .run: try loadRun(row, &reader, into: &control)
    case .setting where row.key.owner == histories:
      guard row.key.number == Int64(control.histories.count) else { throw reader.bad("a gap") }
      control.histories.append(try reader.history())
    case .setting where row.key.owner == plans:
      guard let campaign = Int(exactly: row.key.number), campaign >= 0,
        campaign < control.campaigns.count
      else { throw reader.bad("its campaign is missing") }
      guard let plan = try reader.optional({ try $0.keptPlan() }) else { return }
      control.plans.append((CampaignID(campaign), plan))
    case .setting where row.key.owner == earlierPolicies:
      try loadEarlierPolicy(row, &reader, into: &control)
    case .setting:
      control.fleetVersion = try reader.unsigned()
      control.stop = try reader.optional { try $0.stopLatch() }
      control.ringNames = try reader.array { reader in
        RingName(ring: try reader.ring(), name: try reader.string())
      }
      if reader.version >= 3 {
        control.contact = try reader.optional { try $0.contactHold() }
      }
    }
  }

  private static func loadEarlierPolicy(
    _ row: StateRow, _ reader: inout ByteReader, into control: inout StoredControl
  ) throws {
    guard let campaign = Int(exactly: row.key.number >> placeBits), campaign >= 0,
      campaign < control.campaigns.count
    else { throw reader.bad("its campaign is missing") }
    var known = control.campaigns[campaign].header.earlier
    // A campaign's row that an older Atlas wrote last holds them, too.
    let place = Int(row.key.number & (1 << placeBits - 1))
    if place < known.count { return }
    guard place == known.count else { throw reader.bad("a gap") }
    known.append(try reader.earlierPolicy())
    control.campaigns[campaign].header.restore(earlier: known)
  }

  private static func loadRun(
    _ row: StateRow, _ reader: inout ByteReader, into control: inout StoredControl
  ) throws {
    guard row.key.owner >= 0, row.key.owner < Int64(control.campaigns.count) else {
      throw reader.bad("its campaign is missing")
    }
    let campaign = Int(row.key.owner)
    guard row.key.number == Int64(control.campaigns[campaign].runs.count) else {
      throw reader.bad("a gap")
    }
    let run = try reader.run()
    guard Int(run.server.index) < control.servers.count, run.server.index >= 0,
      Int(run.lane) < control.campaigns[campaign].lanes.count, run.lane >= 0
    else { throw reader.bad("its server or its lane is missing") }
    control.campaigns[campaign].runs.append(run)
  }
}

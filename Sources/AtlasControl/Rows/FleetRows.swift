import AtlasEngine
import AtlasModel

/// Clients, servers and what hangs on them, as rows.
extension ByteWriter {
  mutating func put(_ latch: Latch) {
    put(latch.reason)
    put(latch.principal)
    put(latch.since)
    put(latch.until) { $0.put($1) }
    put(latch.ticket)
  }

  mutating func put(_ stop: StopLatch) {
    put(stop.latch)
    put(stop.fence)
  }

  mutating func put(_ interval: Interval) {
    put(interval.start)
    put(interval.end)
  }

  mutating func put(_ age: BackupAge) {
    put(age.longest) { $0.put($1) }
    put(age.isOfLastJob)
  }

  mutating func put(_ client: Client) {
    let config = client.config
    put(config.name)
    put(Int(config.ring.number))
    put(config.zone)
    put(config.windows) { $0.put($1.rule) }
    put(config.freezes) {
      $0.put($1.interval)
      $0.put($1.reason)
    }
    put(config.maxParallelServers)
    put(config.requireBackup)
    put(config.createSnapshots)
    put(config.maxBackupAge)
    put(config.priority)
    put(config.contacts) {
      $0.put($1.email)
      $0.put($1.language)
    }
    put(config.requireChangeReference)
    put(client.paused) { $0.put($1) }
    put(client.stop) { $0.put($1) }
    put(UInt64(client.version))
    put(client.postponed) { $0.put($1.latch) }
    put(client.dark) { $0.put($1) }
    put(client.outage) { $0.put($1) }
  }

  mutating func put(_ server: Server) {
    let config = server.config
    put(config.name)
    put(config.client)
    put(config.site)
    put(config.roles) { $0.put($1) }
    put(config.number)
    put(config.updateOrder) { $0.put($1) }
    put(config.system)
    put(config.physical)
    put(server.locked) { $0.put($1) }
    put(server.retired)
    put(server.agentVersion)
    put(UInt64(server.version))
    put(config.resources) { $0.put($1) }
    put(config.tags) { $0.put($1) }
    put(server.dismissed) { $0.put($1) }
    put(config.after) { $0.put($1) }
    put(config.antiAffinity) { $0.put($1) }
    put(config.host) { $0.put($1) }
    put(config.migratesGuests)
    put(config.carriesAtlas)
    put(server.silentSince) { $0.put($1) }
    put(server.awaitedSince) { $0.put($1) }
    put(server.countedSince) { $0.put($1) }
  }

  private mutating func put(_ outage: Outage) {
    put(outage.from)
    put(outage.until)
    put(outage.parallel) { $0.put($1) }
    put(outage.reason)
    put(outage.principal)
    put(outage.declaredAt)
  }
}

extension ByteReader {
  mutating func latch() throws -> Latch {
    Latch(
      reason: try string(), principal: try string(), since: try instant(),
      until: try optional { try $0.instant() }, ticket: try string())
  }

  mutating func stopLatch() throws -> StopLatch {
    StopLatch(latch: try latch(), fence: try fence())
  }

  mutating func interval() throws -> Interval {
    Interval(start: try instant(), end: try instant())
  }

  mutating func ring() throws -> Ring {
    let number = try int()
    guard let ring = Ring(number) else { throw bad("there is no ring \(number)") }
    return ring
  }

  /// Version 1 knew durations only.
  mutating func backupAge() throws -> BackupAge {
    guard version >= 2 else { return .atMost(try duration()) }
    let longest = try optional { try $0.duration() }
    guard let age = BackupAge(longest: longest, isOfLastJob: try bool()) else {
      throw bad("it asks for no age of a backup")
    }
    return age
  }

  mutating func client() throws -> StoredClient {
    let config = ClientConfig(
      name: try name(), ring: try ring(), zone: try string(),
      windows: try array { MaintenanceWindow(rule: try $0.string()) },
      freezes: try array { Freeze(interval: try $0.interval(), reason: try $0.string()) },
      maxParallelServers: try int(), requireBackup: try bool(), createSnapshots: try bool(),
      maxBackupAge: try backupAge(), priority: try int(),
      contacts: try array { Contact(email: try $0.string(), language: try $0.string()) },
      requireChangeReference: try bool())
    var client = StoredClient(
      config: config, paused: try optional { try $0.latch() },
      stop: try optional { try $0.stopLatch() },
      version: UInt32(truncatingIfNeeded: try unsigned()))
    guard version >= 3 else { return client }
    client.postponed = try optional { Postponement(latch: try $0.latch()) }
    client.dark = try optional { try $0.contactHold() }
    guard version >= 4 else { return client }
    client.outage = try optional { try $0.outage() }
    return client
  }

  private mutating func outage() throws -> Outage {
    Outage(
      from: try instant(), until: try instant(), parallel: try optional { try $0.int() },
      reason: try string(), principal: try string(), declaredAt: try instant())
  }

  mutating func server() throws -> StoredServer {
    let config = ServerConfig(
      name: try name(), client: try name(), site: try name(), roles: try array { try $0.name() },
      number: try int(), updateOrder: try optional { try $0.int() }, system: try string(),
      physical: try bool())
    var server = StoredServer(
      config: config, locked: try optional { try $0.latch() }, retired: try bool(),
      agentVersion: try string(), version: UInt32(truncatingIfNeeded: try unsigned()))
    guard version >= 3 else { return server }
    server.config.resources = try array { try $0.name() }
    server.config.tags = try array { try $0.name() }
    guard version >= 4 else { return server }
    server.dismissed = try optional { try $0.latch() }
    server.config.after = try array { try $0.name() }
    server.config.antiAffinity = try optional { try $0.name() }
    server.config.host = try optional { try $0.name() }
    server.config.migratesGuests = try bool()
    server.config.carriesAtlas = try bool()
    guard version >= 5 else { return server }
    server.silentSince = try optional { try $0.instant() }
    guard version >= 6 else { return server }
    server.awaitedSince = try optional { try $0.instant() }
    server.countedSince = try optional { try $0.instant() }
    return server
  }
}

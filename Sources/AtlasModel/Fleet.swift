/// All clients and their servers, as one import describes them.
package struct Fleet: Hashable, Sendable {
  /// Sorted by name, names unique.
  package var clients: [ClientConfig]
  /// Sorted by client, then name; names unique in the whole fleet.
  package var servers: [ServerConfig]
  /// Rings that the fleet gives a name of its own, by ring.
  package var ringNames: [RingName]

  package init(
    clients: [ClientConfig] = [], servers: [ServerConfig] = [], ringNames: [RingName] = []
  ) {
    self.clients = clients
    self.servers = servers
    self.ringNames = ringNames
  }
}

/// A client's standing configuration. A campaign may tighten it, never loosen it.
package struct ClientConfig: Hashable, Sendable {
  package var name: ClientName
  package var ring: Ring
  /// IANA name of the zone its windows are written in, such as `Europe/Paris`.
  package var zone: String
  /// Empty means: never, until somebody writes one.
  package var windows: [MaintenanceWindow]
  package var freezes: [Freeze]
  /// Slots: how many of its servers may be in progress at once, 1 to 100.
  package var maxParallelServers: Int
  package var requireBackup: Bool
  package var createSnapshots: Bool
  package var maxBackupAge: BackupAge
  /// 1 goes first; 1 to 1,000.
  package var priority: Int
  package var contacts: [Contact]
  /// Starts need a change reference in the campaign.
  package var requireChangeReference: Bool

  package init(
    name: ClientName, ring: Ring = .standard, zone: String = "UTC",
    windows: [MaintenanceWindow] = [], freezes: [Freeze] = [], maxParallelServers: Int = 1,
    requireBackup: Bool = true, createSnapshots: Bool = true,
    maxBackupAge: BackupAge = .atMost(.seconds(86_400)), priority: Int = 100,
    contacts: [Contact] = [],
    requireChangeReference: Bool = false
  ) {
    self.name = name
    self.ring = ring
    self.zone = zone
    self.windows = windows
    self.freezes = freezes
    self.maxParallelServers = maxParallelServers
    self.requireBackup = requireBackup
    self.createSnapshots = createSnapshots
    self.maxBackupAge = maxBackupAge
    self.priority = priority
    self.contacts = contacts
    self.requireChangeReference = requireChangeReference
  }

  /// Whether the client may be worked on at the same instants as with another configuration.
  package func isOpenAsOften(as other: ClientConfig) -> Bool {
    zone == other.zone && windows == other.windows && freezes == other.freezes
  }
}

/// A person at the client who is told about the night.
package struct Contact: Hashable, Sendable {
  package var email: String
  /// BCP 47 tag of the language to write in, such as `fr`.
  package var language: String

  package init(email: String, language: String = "en") {
    self.email = email
    self.language = language
  }
}

/// One server, as the fleet knows it.
package struct ServerConfig: Hashable, Sendable {
  package var name: ServerName
  package var client: ClientName
  package var site: SiteName
  /// Sorted, unique; may be empty.
  package var roles: [Role]
  /// The number at the end of its host name; 0 when it has none.
  package var number: Int
  /// Place in its client's lane; lower goes first. Nil leaves it to its roles and number.
  package var updateOrder: Int?
  /// Operating system family, such as `windows-2022`; chooses estimates and time limits.
  package var system: String
  /// Bare metal cannot be put back to a snapshot, so its failures wait for a person.
  package var physical: Bool
  /// What it shares with other servers; sorted, unique.
  package var resources: [ResourceName]
  /// Words to select it by; sorted, unique.
  package var tags: [Tag]
  /// Servers of the same client that go before it in a campaign; sorted, unique.
  package var after: [ServerName]
  /// Of the members of a group no two are in progress, held or unexplained at once.
  package var antiAffinity: GroupName?
  /// The server that it runs on, of any client; nil for bare metal, and where nobody said.
  package var host: ServerName?
  /// Its own hooks move its guests elsewhere before it boots, and prove it: no outage is needed.
  package var migratesGuests: Bool
  /// The daemon depends on it.
  package var carriesAtlas: Bool

  package init(
    name: ServerName, client: ClientName, site: SiteName, roles: [Role] = [], number: Int = 0,
    updateOrder: Int? = nil, system: String = "", physical: Bool = false,
    resources: [ResourceName] = [], tags: [Tag] = [], after: [ServerName] = [],
    antiAffinity: GroupName? = nil, host: ServerName? = nil, migratesGuests: Bool = false,
    carriesAtlas: Bool = false
  ) {
    self.name = name
    self.client = client
    self.site = site
    self.roles = roles
    self.number = number
    self.updateOrder = updateOrder
    self.system = system
    self.physical = physical
    self.resources = resources
    self.tags = tags
    self.after = after
    self.antiAffinity = antiAffinity
    self.host = host
    self.migratesGuests = migratesGuests
    self.carriesAtlas = carriesAtlas
  }
}

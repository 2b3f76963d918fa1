import AtlasCalendar
import AtlasModel

/// A value with the place it was written at; equal when the values are.
struct Sourced<Value: Equatable & Sendable>: Equatable, Sendable {
  var value: Value
  var place: Place

  init(_ value: Value, at place: Place) {
    self.value = value
    self.place = place
  }

  static func == (left: Self, right: Self) -> Bool { left.value == right.value }
}

/// What the files of an import say about a client; nil where they say nothing.
struct ClientDraft: Sendable {
  let name: ClientName
  /// Where it was first mentioned.
  var place: Place
  /// Every file that says something about it, a bit each.
  var files: UInt64 = 0

  /// Number or name, because names are known only when all files are read.
  var ring: Sourced<String>?
  var zone: Sourced<String>?
  var windows: Sourced<[Sourced<String>]>?
  var freezes: Sourced<[Sourced<FreezeDraft>]>?
  var maxParallelServers: Sourced<Int>?
  var requireBackup: Sourced<Bool>?
  var createSnapshots: Sourced<Bool>?
  var maxBackupAge: Sourced<BackupAge>?
  var priority: Sourced<Int>?
  var contacts: Sourced<[ContactDraft]>?
  var requireChangeReference: Sourced<Bool>?

  init(name: ClientName, place: Place) {
    self.name = name
    self.place = place
  }
}

/// A freeze before the client's zone is known.
struct FreezeDraft: Equatable, Sendable {
  var from: InstantText.Meaning
  var until: InstantText.Meaning
  var reason: String
}

struct ContactDraft: Equatable, Sendable {
  var email: String
  /// Nil keeps what the fleet knows about the address.
  var language: String?
}

/// What the files of an import say about a server. Nil where they say nothing; a value of nil
/// where they leave it to the host name.
struct ServerDraft: Sendable {
  let name: ServerName
  var place: Place
  var files: UInt64 = 0

  var client: Sourced<ClientName?>?
  var site: Sourced<SiteName?>?
  var roles: Sourced<[Role]?>?
  var number: Sourced<Int?>?
  /// A value of nil leaves it to roles and number.
  var updateOrder: Sourced<Int?>?
  var system: Sourced<String>?
  var physical: Sourced<Bool>?
  var resources: Sourced<[ResourceName]>?
  var tags: Sourced<[Tag]>?
  var after: Sourced<[ServerName]>?
  /// A value of nil puts it into no group.
  var antiAffinity: Sourced<GroupName?>?
  /// A value of nil makes it no guest.
  var host: Sourced<ServerName?>?
  var migratesGuests: Sourced<Bool>?
  var carriesAtlas: Sourced<Bool>?
  /// Two rows claim it, perhaps for two clients: neither may have it.
  var isDisputed = false

  init(name: ServerName, place: Place) {
    self.name = name
    self.place = place
  }
}

/// Everything the files of an import say, before it is put together.
struct FleetDraft {
  private(set) var clients: [ClientName: ClientDraft] = [:]
  private(set) var servers: [ServerDraft] = []
  /// Index by name in small letters: host names differ in more than case.
  private var serverIndex: [String: Int] = [:]
  var ringNames: [Ring: Sourced<String>] = [:]
  var patterns: [HostPattern] = []
  /// A file could not be read to its end, so that clients may be missing which it describes.
  private(set) var isIncomplete = false
  var diagnostics: DiagnosticList

  init(files: [String]) {
    diagnostics = DiagnosticList(files: files)
  }

  /// Takes what one file says about a client.
  ///
  /// A file may describe a client once; several files may describe it together, but must agree.
  mutating func add(_ draft: ClientDraft) {
    guard var known = clients[draft.name] else {
      var draft = draft
      draft.files.insert(draft.place.file)
      clients[draft.name] = draft
      return
    }
    guard !known.files.contains(draft.place.file) else {
      return diagnostics.error(
        at: draft.place, field: "name",
        "\(draft.name) is described twice, first in \(diagnostics.name(of: known.place))",
        hint: "keep one of them", client: draft.name)
    }
    known.files.insert(draft.place.file)
    let client = draft.name
    diagnostics.merge(&known.ring, draft.ring, "ring", of: client.text, client)
    diagnostics.merge(&known.zone, draft.zone, "zone", of: client.text, client)
    diagnostics.merge(&known.windows, draft.windows, "windows", of: client.text, client)
    diagnostics.merge(&known.freezes, draft.freezes, "freezes", of: client.text, client)
    diagnostics.merge(
      &known.maxParallelServers, draft.maxParallelServers, "max_parallel_servers",
      of: client.text, client)
    diagnostics.merge(
      &known.requireBackup, draft.requireBackup, "require_backup", of: client.text, client)
    diagnostics.merge(
      &known.createSnapshots, draft.createSnapshots, "create_snapshots", of: client.text, client)
    diagnostics.merge(
      &known.maxBackupAge, draft.maxBackupAge, "max_backup_age", of: client.text, client)
    diagnostics.merge(&known.priority, draft.priority, "priority", of: client.text, client)
    diagnostics.merge(&known.contacts, draft.contacts, "contacts", of: client.text, client)
    diagnostics.merge(
      &known.requireChangeReference, draft.requireChangeReference, "require_change_reference",
      of: client.text, client)
    clients[client] = known
  }

  /// Takes what one file says about a server, as ``add(_:)`` for clients.
  /// - Parameter owner: Its client, as far as it can be known yet; asked for only in an error.
  mutating func add(_ draft: ServerDraft, owner: @autoclosure () -> ClientName?) {
    let key = draft.name.text.lowercased()
    guard let index = serverIndex[key] else {
      var draft = draft
      draft.files.insert(draft.place.file)
      serverIndex[key] = servers.count
      return servers.append(draft)
    }
    var known = servers[index]
    let owner = owner()
    let isSameName = known.name == draft.name
    guard isSameName, !known.files.contains(draft.place.file) else {
      let first = diagnostics.name(of: known.place)
      servers[index].isDisputed = true
      return diagnostics.error(
        at: draft.place, field: "server",
        isSameName
          ? "\(draft.name) is listed twice, first in \(first)"
          : "\(draft.name) and \(known.name) in \(first) differ in case only",
        hint: "host names are unique in the whole fleet", client: owner)
    }
    known.files.insert(draft.place.file)
    let name = draft.name.text
    if let new = draft.client, let old = known.client, old != new { known.isDisputed = true }
    diagnostics.merge(&known.client, draft.client, "client", of: name, owner)
    diagnostics.merge(&known.site, draft.site, "site", of: name, owner)
    diagnostics.merge(&known.roles, draft.roles, "roles", of: name, owner)
    diagnostics.merge(&known.number, draft.number, "number", of: name, owner)
    diagnostics.merge(&known.updateOrder, draft.updateOrder, "update_order", of: name, owner)
    diagnostics.merge(&known.system, draft.system, "system", of: name, owner)
    diagnostics.merge(&known.physical, draft.physical, "physical", of: name, owner)
    diagnostics.merge(&known.resources, draft.resources, "resources", of: name, owner)
    diagnostics.merge(&known.tags, draft.tags, "tags", of: name, owner)
    diagnostics.merge(&known.after, draft.after, "after", of: name, owner)
    diagnostics.merge(
      &known.antiAffinity, draft.antiAffinity, "anti_affinity", of: name, owner)
    diagnostics.merge(&known.host, draft.host, "host", of: name, owner)
    diagnostics.merge(
      &known.migratesGuests, draft.migratesGuests, "migrates_guests", of: name, owner)
    diagnostics.merge(&known.carriesAtlas, draft.carriesAtlas, "carries_atlas", of: name, owner)
    servers[index] = known
  }

  /// Gives up on a file that cannot be read.
  mutating func refuse(_ file: Int, _ error: SourceError) {
    isIncomplete = true
    diagnostics.error(
      at: Place(file: file, line: error.line), error.message, hint: error.hint, client: nil)
  }

  /// Takes a ring's name, once.
  mutating func nameRing(_ ring: Ring, _ name: String, at place: Place) {
    if let known = ringNames[ring], known.value != name {
      diagnostics.error(
        at: place, field: "rings",
        "ring \(ring) is “\(name)” here and “\(known.value)” in "
          + diagnostics.name(of: known.place), hint: "keep one of them", client: nil)
    } else {
      ringNames[ring] = Sourced(name, at: place)
    }
  }
}

extension DiagnosticList {
  /// Fills a field from a second file; an error when the two disagree.
  fileprivate mutating func merge<Value>(
    _ known: inout Sourced<Value>?, _ new: Sourced<Value>?, _ field: String, of name: String,
    _ client: ClientName?
  ) {
    guard let new else { return }
    guard let old = known else {
      known = new
      return
    }
    guard old != new else { return }
    error(
      at: new.place, field: field,
      "\(name) has another \(field) in \(self.name(of: old.place))",
      hint: "let the two files agree, or leave it out of one", client: client)
  }
}

extension UInt64 {
  mutating func insert(_ bit: Int) { self |= 1 << UInt64(bit) }
  func contains(_ bit: Int) -> Bool { self & (1 << UInt64(bit)) != 0 }

  /// The numbers of its bits that are set.
  var members: [Int] { (0..<64).filter(contains) }
}

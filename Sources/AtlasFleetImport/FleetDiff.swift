import AtlasCalendar
import AtlasModel

/// One difference between two fleets.
package struct FleetChange: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case added
    case changed
    /// Only between two fleets; an import removes nothing.
    case removed
  }

  package var kind: Kind
  /// Nil when the whole fleet is concerned, as with names of rings.
  package var client: ClientName?
  /// Nil when the client itself is concerned.
  package var server: ServerName?
  /// Which setting, by its name in the files; empty for what is added or removed.
  package var field: String
  /// As the files write it; empty for what is added or removed.
  package var before: String
  package var after: String

  package init(
    kind: Kind, client: ClientName? = nil, server: ServerName? = nil, field: String = "",
    before: String = "", after: String = ""
  ) {
    self.kind = kind
    self.client = client
    self.server = server
    self.field = field
    self.before = before
    self.after = after
  }
}

/// Says how one fleet differs from another, field by field.
package enum FleetDiff {
  /// Names of rings first, then clients, then servers, each in the order of their names.
  package static func changes(from old: Fleet, to new: Fleet) -> [FleetChange] {
    ringChanges(from: old, to: new)
      + changes(
        from: old.clients, to: new.clients, name: \.name, fields: \.fields,
        make: { FleetChange(kind: $0, client: $1.name) })
      + changes(
        from: old.servers, to: new.servers, name: \.name, fields: \.fields,
        make: { FleetChange(kind: $0, client: $1.client, server: $1.name) })
  }

  private static func ringChanges(from old: Fleet, to new: Fleet) -> [FleetChange] {
    Ring.all.compactMap { ring in
      let (before, after) = (old.name(of: ring), new.name(of: ring))
      guard before != after else { return nil }
      return FleetChange(kind: .changed, field: "rings.\(ring)", before: before, after: after)
    }
  }

  private static func changes<Item: Equatable, Name: Hashable & Comparable>(
    from old: [Item], to new: [Item], name: KeyPath<Item, Name>,
    fields: KeyPath<Item, [(name: String, text: String)]>,
    make: (FleetChange.Kind, Item) -> FleetChange
  ) -> [FleetChange] {
    let before = Dictionary(
      old.map { ($0[keyPath: name], $0) }, uniquingKeysWith: { first, _ in first })
    let after = Set(new.map { $0[keyPath: name] })
    var changes: [(Name, FleetChange)] = []
    for item in old where !after.contains(item[keyPath: name]) {
      changes.append((item[keyPath: name], make(.removed, item)))
    }
    for item in new {
      guard let known = before[item[keyPath: name]] else {
        changes.append((item[keyPath: name], make(.added, item)))
        continue
      }
      guard known != item else { continue }
      for (old, new) in zip(known[keyPath: fields], item[keyPath: fields])
      where old.text != new.text {
        var change = make(.changed, item)
        (change.field, change.before, change.after) = (new.name, old.text, new.text)
        changes.append((item[keyPath: name], change))
      }
    }
    // A stable order: fields of one item stay in their own order.
    return changes.enumerated()
      .sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }.map(\.element.1)
  }
}

extension ClientConfig {
  /// Its settings by the names and in the words of the files.
  var fields: [(name: String, text: String)] {
    let zoneRules = (try? Zone(zone)) ?? .utc
    return [
      ("ring", "\(ring)"),
      ("zone", zone),
      ("windows", windows.map(\.rule).joined(separator: " | ")),
      ("freezes", freezes.map { $0.text(in: zoneRules) }.joined(separator: " | ")),
      ("max_parallel_servers", "\(maxParallelServers)"),
      ("require_backup", "\(requireBackup)"),
      ("create_snapshots", "\(createSnapshots)"),
      ("max_backup_age", maxBackupAge.text),
      ("priority", "\(priority)"),
      ("contacts", contacts.map { "\($0.email) (\($0.language))" }.joined(separator: ", ")),
      ("require_change_reference", "\(requireChangeReference)"),
    ]
  }
}

extension Freeze {
  fileprivate func text(in zone: Zone) -> String {
    let from = InstantText.write(interval.start, in: zone)
    let until = InstantText.write(interval.end, in: zone)
    return "\(from) to \(until)" + (reason.isEmpty ? "" : ": \(reason)")
  }
}

extension ServerConfig {
  /// Its settings by the names and in the words of the files.
  var fields: [(name: String, text: String)] {
    [
      ("client", client.text),
      ("site", site.text),
      ("roles", roles.isEmpty ? "-" : roles.map(\.text).joined(separator: "|")),
      ("number", "\(number)"),
      ("update_order", updateOrder.map(String.init) ?? ""),
      ("system", system),
      ("physical", "\(physical)"),
      ("resources", resources.map(\.text).joined(separator: "|")),
      ("tags", tags.map(\.text).joined(separator: "|")),
      ("after", after.map(\.text).joined(separator: "|")),
      ("anti_affinity", antiAffinity?.text ?? ""),
      ("host", host?.text ?? ""),
      ("migrates_guests", "\(migratesGuests)"),
      ("carries_atlas", "\(carriesAtlas)"),
    ]
  }
}

import AtlasCalendar
import AtlasModel

/// Writes a fleet, and what became of it, as files that ``FleetImport`` reads back.
package enum FleetExport {
  /// Every server, in our own columns.
  package static func serversCSV(_ fleet: Fleet) -> String {
    let header = [
      "server", "client", "site", "roles", "number", "update_order", "system", "physical",
      "resources", "tags",
      "after", "anti_affinity", "host", "migrates_guests", "carries_atlas",
    ]
    return CSVText.table(
      header, fleet.servers.map { server in [server.name.text] + server.fields.map(\.text) })
  }

  /// Every client with all its settings, and the names of the rings.
  package static func clientsYAML(_ fleet: Fleet) -> String {
    var lines: [String] = []
    if !fleet.ringNames.isEmpty {
      lines.append("rings:")
      lines += fleet.ringNames.map { "  \($0.ring): \(YAMLText.scalar($0.name))" }
      lines.append("")
    }
    lines.append(fleet.clients.isEmpty ? "clients: []" : "clients:")
    lines += fleet.clients.flatMap(lines(of:))
    return lines.joined(separator: "\n") + "\n"
  }

  private static func lines(of client: ClientConfig) -> [String] {
    let zone = (try? Zone(client.zone)) ?? .utc
    var lines = ["  - name: \(YAMLText.scalar(client.name.text))", "    ring: \(client.ring)"]
    lines.append("    zone: \(YAMLText.scalar(client.zone))")
    lines += list("windows", client.windows.map { YAMLText.scalar($0.rule) })
    lines += list("freezes", client.freezes.map { text(of: $0, in: zone) })
    lines.append("    max_parallel_servers: \(client.maxParallelServers)")
    lines.append("    require_backup: \(client.requireBackup)")
    lines.append("    create_snapshots: \(client.createSnapshots)")
    lines.append("    max_backup_age: \(client.maxBackupAge.text)")
    lines.append("    priority: \(client.priority)")
    lines += list(
      "contacts",
      client.contacts.map {
        "{email: \(YAMLText.scalar($0.email)), language: \(YAMLText.scalar($0.language))}"
      })
    lines.append("    require_change_reference: \(client.requireChangeReference)")
    return lines
  }

  private static func text(of freeze: Freeze, in zone: Zone) -> String {
    let (from, until) = (freeze.interval.start, freeze.interval.end)
    return "{from: \"\(InstantText.write(from, in: zone))\", "
      + "until: \"\(InstantText.write(until, in: zone))\", reason: "
      + YAMLText.scalar(freeze.reason) + "}"
  }

  private static func list(_ key: String, _ items: [String]) -> [String] {
    items.isEmpty ? ["    \(key): []"] : ["    \(key):"] + items.map { "      - \($0)" }
  }
}

// MARK: - The field's lists

extension FleetExport {
  package static func csv(_ rows: [OrchestrationRow]) -> String { FieldList(rows).csv }
  package static func csv(_ rows: [GlobalStatusRow]) -> String { FieldList(rows).csv }
  package static func csv(_ rows: [ClientConfigRow]) -> String { FieldList(rows).csv }

  package static func json(_ rows: [OrchestrationRow]) -> String { FieldList(rows).json }
  package static func json(_ rows: [GlobalStatusRow]) -> String { FieldList(rows).json }
  package static func json(_ rows: [ClientConfigRow]) -> String { FieldList(rows).json }
}

/// A small fleet with one long window, and what is planted in it.
struct StageFleet {
  var clientNames: [String]
  var roles = ["WEB", "APP", "SQL", "DC"]
  /// Failures by server, as a scenario of the simulated fleet names them.
  var failures: [String: String] = [:]
  /// Cases of the backup service by server, as JSON.
  var backupCases: [String: String] = [:]
  /// Hook files by client.
  var hooks: [String: String] = [:]
  /// Of all durations.
  var durationScale = 1.0

  var names: [String] {
    clientNames.flatMap { client in roles.map { "\(client)-PARIS-\($0)01" } }
  }

  var servers: String {
    "server,client,site,roles,number,system,physical\n"
      + clientNames.flatMap { client in
        roles.map { "\(client)-PARIS-\($0)01,\(client),PARIS,\($0),1,debian-12,false\n" }
      }.joined()
  }

  var clients: String {
    """
    defaults:
      max_parallel_servers: 1
      require_backup: true
      create_snapshots: true
      max_backup_age: 24h
    clients:

    """
      + clientNames.map { client in
        """
          - name: \(client)
            ring: 2
            zone: Europe/Paris
            windows: ["Fri 20:00-Mon 05:00"]

        """
      }.joined()
  }

  let policy = """
    max_retries: 1
    retry_backoff: 5m
    rollback: {default: snapshot, DC: hold, SQL: hold}
    ring_gate: {open_after: sample, success_rate: 50%, max_failed: 10, gate_soak: 2m, approval: auto}
    """

  var agentScenario: String {
    let servers = failures.sorted { $0.key < $1.key }
      .map { "\"\($0.key)\": \"\($0.value)\"" }.joined(separator: ", ")
    return "{\"servers\": {\(servers)}, \"duration_scale\": \(durationScale)}"
  }

  var backupScenario: String {
    let servers = backupCases.sorted { $0.key < $1.key }
      .map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
    return "{\"servers\": {\(servers)}}"
  }
}

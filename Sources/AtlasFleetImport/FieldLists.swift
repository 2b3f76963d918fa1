import AtlasCalendar
import AtlasModel

/// What happened to a server, in the field's four words.
package enum FieldUpdateStatus: String, Hashable, Sendable, CaseIterable {
  case pending = "Pending"
  case inProgress = "InProgress"
  case completed = "Completed"
  case failed = "Failed"
}

/// How far a ring is, in the field's three words.
package enum FieldRingStatus: String, Hashable, Sendable, CaseIterable {
  case waiting = "Waiting"
  case active = "Active"
  case completed = "Completed"
}

/// A row of the field's Orchestration list: a server in a campaign.
package struct OrchestrationRow: Hashable, Sendable {
  package var clientName: String
  package var siteName: String
  package var serverName: String
  package var updateOrder: Int?
  package var updateStatus: FieldUpdateStatus
  package var updateStartTime: Instant?
  package var updateEndTime: Instant?
  /// A slot is held, or the server is locked.
  package var updateLocked: Bool
  package var lastError: String

  package init(
    clientName: String, siteName: String, serverName: String, updateOrder: Int? = nil,
    updateStatus: FieldUpdateStatus = .pending, updateStartTime: Instant? = nil,
    updateEndTime: Instant? = nil, updateLocked: Bool = false, lastError: String = ""
  ) {
    self.clientName = clientName
    self.siteName = siteName
    self.serverName = serverName
    self.updateOrder = updateOrder
    self.updateStatus = updateStatus
    self.updateStartTime = updateStartTime
    self.updateEndTime = updateEndTime
    self.updateLocked = updateLocked
    self.lastError = lastError
  }
}

/// A row of the field's GlobalStatus list: a ring in a campaign.
package struct GlobalStatusRow: Hashable, Sendable {
  package var ringName: String
  package var status: FieldRingStatus
  package var serversTotal: Int
  package var serversCompleted: Int
  package var startTime: Instant?
  package var completionTime: Instant?

  package init(
    ringName: String, status: FieldRingStatus, serversTotal: Int, serversCompleted: Int,
    startTime: Instant? = nil, completionTime: Instant? = nil
  ) {
    self.ringName = ringName
    self.status = status
    self.serversTotal = serversTotal
    self.serversCompleted = serversCompleted
    self.startTime = startTime
    self.completionTime = completionTime
  }
}

/// A row of the field's ClientConfig list.
package struct ClientConfigRow: Hashable, Sendable {
  package var clientName: String
  /// All windows, separated by `|`, with the zone behind each.
  package var maintenanceWindow: String
  package var maxParallelServers: Int
  package var priority: Int
  /// Separated by `;`.
  package var contactEmail: String

  package init(
    clientName: String, maintenanceWindow: String, maxParallelServers: Int, priority: Int,
    contactEmail: String
  ) {
    self.clientName = clientName
    self.maintenanceWindow = maintenanceWindow
    self.maxParallelServers = maxParallelServers
    self.priority = priority
    self.contactEmail = contactEmail
  }

  /// The list has no column for a zone, so it is written behind every window that names none.
  package init(_ client: ClientConfig) {
    self.init(
      clientName: client.name.text,
      maintenanceWindow: client.windows.flatMap { Self.windows($0.rule, zone: client.zone) }
        .joined(separator: " | "),
      maxParallelServers: client.maxParallelServers, priority: client.priority,
      contactEmail: client.contacts.map(\.email).joined(separator: ";"))
  }

  private static func windows(_ rule: String, zone: String) -> [String] {
    WindowRule.pieces(of: rule).map { piece in
      WindowRule.zoneNamed(in: piece) == nil ? "\(piece) \(zone)" : piece
    }
  }
}

/// A value of a list.
enum FieldValue {
  case text(String)
  case number(Int)
  case flag(Bool)
  case time(Instant)
  case none
}

/// A list as columns and rows, to be written in any notation.
struct FieldList {
  var columns: [String]
  var rows: [[FieldValue]]

  init(_ rows: [OrchestrationRow]) {
    columns = [
      "ClientName", "SiteName", "ServerName", "UpdateOrder", "UpdateStatus", "UpdateStartTime",
      "UpdateEndTime", "UpdateLocked", "LastError",
    ]
    self.rows = rows.map { row in
      [
        .text(row.clientName), .text(row.siteName), .text(row.serverName),
        row.updateOrder.map(FieldValue.number) ?? .none, .text(row.updateStatus.rawValue),
        row.updateStartTime.map(FieldValue.time) ?? .none,
        row.updateEndTime.map(FieldValue.time) ?? .none, .flag(row.updateLocked),
        .text(row.lastError),
      ]
    }
  }

  init(_ rows: [GlobalStatusRow]) {
    columns = [
      "RingName", "Status", "ServersTotal", "ServersCompleted", "StartTime", "CompletionTime",
    ]
    self.rows = rows.map { row in
      [
        .text(row.ringName), .text(row.status.rawValue), .number(row.serversTotal),
        .number(row.serversCompleted), row.startTime.map(FieldValue.time) ?? .none,
        row.completionTime.map(FieldValue.time) ?? .none,
      ]
    }
  }

  init(_ rows: [ClientConfigRow]) {
    columns = ["ClientName", "MaintenanceWindow", "MaxParallelServers", "Priority", "ContactEmail"]
    self.rows = rows.map { row in
      [
        .text(row.clientName), .text(row.maintenanceWindow), .number(row.maxParallelServers),
        .number(row.priority), .text(row.contactEmail),
      ]
    }
  }
}

// MARK: - Notations

extension FieldList {
  var csv: String {
    CSVText.table(columns, rows.map { $0.map(\.csv) })
  }

  /// A list of objects, one a line, with every column in each.
  var json: String {
    guard !rows.isEmpty else { return "[]\n" }
    let objects = rows.map { row in
      "  {" + zip(columns, row).map { "\"\($0)\": \($1.json)" }.joined(separator: ", ") + "}"
    }
    return "[\n" + objects.joined(separator: ",\n") + "\n]\n"
  }
}

extension FieldValue {
  fileprivate var csv: String {
    switch self {
    case .text(let text): text
    case .number(let number): "\(number)"
    case .flag(let flag): flag ? "True" : "False"
    case .time(let time): InstantText.write(time)
    case .none: ""
    }
  }

  fileprivate var json: String {
    switch self {
    case .text(let text): JSONText.string(text)
    case .number(let number): "\(number)"
    case .flag(let flag): flag ? "true" : "false"
    case .time(let time): JSONText.string(InstantText.write(time))
    case .none: "null"
    }
  }
}

/// Writes comma-separated values (RFC 4180), with line feeds as line ends.
enum CSVText {
  static func table(_ header: [String], _ rows: [[String]]) -> String {
    var text = ""
    for row in [header] + rows {
      text += row.map(cell).joined(separator: ",") + "\n"
    }
    return text
  }

  /// Quotes what would not be read back as it is.
  private static func cell(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { !",;\t\"\n\r".utf8.contains($0) }
    guard !isPlain || text.first == " " || text.last == " " else { return text }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }
}

/// Writes strings of JSON (RFC 8259).
enum JSONText {
  static func string(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      case _: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

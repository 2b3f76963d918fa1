import AtlasModel
import AtlasWire
import GRPCCore
import GRPCNIOTransportHTTP2

/// One server to simulate.
package struct FleetMember: Hashable, Sendable {
  package var server: ServerName
  package var client: String
  package var roles: [Role]

  package init(server: ServerName, client: String, roles: [Role]) {
    self.server = server
    self.client = client
    self.roles = roles
  }
}

/// Which servers there are: asked from the daemon, or read from a list.
package enum FleetList {
  /// All servers of the daemon's fleet that are not retired, by name.
  package static func ask(_ address: DaemonAddress) async throws -> [FleetMember] {
    let client = try address.makeClient()
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await client.runConnections() }
      let members = try await pages(AtlasV1.FleetService.Client(wrapping: client))
      client.beginGracefulShutdown()
      return members.sorted { $0.server < $1.server }
    }
  }

  private static func pages(
    _ service: AtlasV1.FleetService.Client<HTTP2ClientTransport.Posix>
  ) async throws -> [FleetMember] {
    var members: [FleetMember] = []
    var token = ""
    var options = CallOptions.defaults
    options.timeout = .seconds(30)
    repeat {
      let page = try await service.listServers(
        .init(pageSize: KitLimits.page, pageToken: token), options: options)
      members += try page.servers.filter { !$0.retired }.map { info in
        FleetMember(
          server: try ServerName(info.name), client: info.client,
          roles: try info.roles.map { try Role($0) })
      }
      guard members.count <= KitLimits.servers else { throw FleetListError.tooMany }
      token = page.nextPageToken
    } while !token.isEmpty
    return members
  }

  /// Reads a list as the fleet import takes it: CSV with a header. Only the columns for the server
  /// (`server` or `ServerName`), its roles (`roles` or `role`, several separated by spaces, `;` or
  /// `|`) and its client (`client` or `ClientName`) are used. Without a client column the client is
  /// what stands before the first `-` of the server's name, and without roles the letters that
  /// stand before its number.
  package static func read(csv bytes: [UInt8]) throws -> [FleetMember] {
    var rows = CSV.rows(String(decoding: bytes, as: UTF8.self))
    guard let header = rows.first?.cells.map({ $0.lowercased() }) else {
      throw FleetListError.noServers
    }
    rows.removeFirst()
    guard let name = header.firstIndex(where: { ["server", "servername"].contains($0) }) else {
      throw FleetListError.noServerColumn
    }
    let roles = header.firstIndex { ["roles", "role"].contains($0) }
    let client = header.firstIndex { ["client", "clientname"].contains($0) }
    var members: [ServerName: FleetMember] = [:]
    for row in rows where row.cells != [""] {
      let member = try member(row, name: name, roles: roles, client: client)
      guard members.updateValue(member, forKey: member.server) == nil else {
        throw FleetListError.row(line: row.line, message: "\(member.server) is there twice")
      }
    }
    guard !members.isEmpty else { throw FleetListError.noServers }
    guard members.count <= KitLimits.servers else { throw FleetListError.tooMany }
    return members.values.sorted { $0.server < $1.server }
  }

  private static func member(
    _ row: CSV.Row, name: Int, roles: Int?, client: Int?
  ) throws(FleetListError) -> FleetMember {
    func cell(_ column: Int?) -> String {
      guard let column, row.cells.indices.contains(column) else { return "" }
      return row.cells[column]
    }
    do {
      let server = try ServerName(cell(name))
      let given = try cell(roles).split { " ;|".contains($0) }.map { try Role(String($0)) }
      return FleetMember(
        server: server, client: cell(client).isEmpty ? server.clientPart : cell(client),
        roles: given.isEmpty ? server.rolePart : given)
    } catch {
      throw .row(line: row.line, message: String(describing: error))
    }
  }
}

/// Why there is no list of servers.
package enum FleetListError: Error, Equatable, CustomStringConvertible {
  case noServers
  case noServerColumn
  case tooMany
  case row(line: Int, message: String)

  package var description: String {
    switch self {
    case .noServers: "the fleet has no servers"
    case .noServerColumn: "the list has no column “server”"
    case .tooMany: "more than \(KitLimits.servers) servers; simulate them with several processes"
    case .row(let line, let message): "line \(line): \(message)"
    }
  }
}

/// The little of RFC 4180 that a list of servers needs.
enum CSV {
  struct Row: Hashable {
    /// 1 for the first line of the file.
    var line: Int
    var cells: [String]
  }

  /// Cells are trimmed; quotes may hold commas, doubled quotes and line breaks.
  static func rows(_ text: String) -> [Row] {
    var rows: [Row] = []
    var row = Row(line: 1, cells: [])
    var cell = ""
    var isQuoted = false
    var line = 1
    var characters = text.unicodeScalars.makeIterator()
    var next = characters.next()
    while let character = next {
      next = characters.next()
      switch (character, isQuoted) {
      case ("\u{FEFF}", false) where rows.isEmpty && row.cells.isEmpty: break
      case ("\"", true) where next == "\"":
        cell.unicodeScalars.append("\"")
        next = characters.next()
      case ("\"", _): isQuoted.toggle()
      case (",", false):
        row.cells.append(cell.trimmed)
        cell = ""
      case ("\r", false): break
      case ("\n", false):
        rows.append(Row(line: row.line, cells: row.cells + [cell.trimmed]))
        cell = ""
        line += 1
        row = Row(line: line, cells: [])
      case _:
        if character == "\n" { line += 1 }
        cell.unicodeScalars.append(character)
      }
    }
    if !cell.isEmpty || !row.cells.isEmpty {
      rows.append(Row(line: row.line, cells: row.cells + [cell.trimmed]))
    }
    return rows
  }
}

extension String {
  fileprivate var trimmed: String {
    let rest = drop { $0 == " " || $0 == "\t" }
    let end = rest.lastIndex { $0 != " " && $0 != "\t" }.map { rest.index(after: $0) }
    return String(rest[..<(end ?? rest.startIndex)])
  }
}

extension ServerName {
  /// `LAA` of `LAA-PARIS-DC01`.
  fileprivate var clientPart: String { String(text.prefix { $0 != "-" }) }

  /// `DC` of `LAA-PARIS-DC01` and of `LAA-PARIS-DC-01`.
  fileprivate var rolePart: [Role] {
    let parts = text.split(separator: "-")
    let role = parts.last { $0.contains { $0.isLetter } }?.prefix { $0.isLetter } ?? ""
    return role.isEmpty ? [] : [Role(trusted: String(role))]
  }
}

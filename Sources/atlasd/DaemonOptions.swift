import AtlasCalendar
import AtlasLua
import AtlasModel
import AtlasServer

/// What the command line says, checked.
struct DaemonOptions: Sendable {
  var dataDirectory: String
  var listen: ListenAddress
  var hooksDirectory: String?
  /// What hooks may reach over HTTP.
  var hookHosts: HookHostRules
  var demoFactor: Int
  var demoStart: Instant?

  /// Fastest rehearsal: a second is then nearly three hours.
  static let fastestDemo = 10_000
}

/// Host and port, as in `127.0.0.1:7443` or `[::1]:7443`.
struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  var host: String
  var port: Int

  /// - Returns: nil for anything that is not host, colon and a port of 0 to 65535.
  init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"),
      let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port)
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard !host.isEmpty else { return nil }
    self.host = String(host)
    self.port = port
  }

  var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Why the daemon does not start, or has to stop.
enum DaemonError: Error, CustomStringConvertible {
  case store(String)
  case rows(String)
  case demo(String)
  case listen(String)
  case hooks(String)

  var description: String {
    switch self {
    case .store(let problem), .rows(let problem), .demo(let problem), .listen(let problem),
      .hooks(let problem):
      problem
    }
  }
}

import AtlasCalendar
import AtlasLua
import AtlasModel
import AtlasServer

/// What the command line says, checked.
struct DaemonOptions: Sendable {
  var dataDirectory: String
  var listen: ListenConfiguration
  var hooksDirectory: String?
  /// What hooks may reach over HTTP.
  var hookHosts: HookHostRules
  var demoFactor: Int
  var demoStart: Instant?

  /// Fastest rehearsal: a second is then nearly three hours.
  static let fastestDemo = 10_000
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

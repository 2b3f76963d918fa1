import AtlasChecker
import AtlasModel

/// Windows that end, and clocks that change in them.
extension Scenario {
  static let ofWindows = [windowCloses, clocksForward, clocksBack]

  private static let windowCloses = Scenario(
    "window-closes-with-three-left",
    shows:
      "nothing starts that does not fit with its reserve; what is left is said, with the reason"
  ) { night in
    let servers = (1...6).map { "WEB0\($0)" }
    night.client("ATL", servers, windows: [.init(4, 1_320, 1_480)])
    for server in servers {
      night.server("ATL-LYON-\(server)") { $0.traits.installs = .seconds(2_400) }
    }
    for server in servers.suffix(3) { night.ends("ATL-LYON-\(server)", "NOT_ATTEMPTED window") }
    night.leaveOutServers()
    night.claim("the last start leaves an hour: 45 min of estimate and 15 min of reserve") {
      ($0.all("run.started").map { $0.at }.max() ?? .max)
        <= ($0.midnight + Night.clock(23, 40)).milliseconds
    }
  }

  private static let clocksForward = clocksChange(
    "clocks-go-forward-inside-a-window", at: Night.beforeSpring, done: 4, of: 5,
    shows: "22:00 to 06:00 is seven hours in that night, and what does not fit is not begun")
  private static let clocksBack = clocksChange(
    "clocks-go-back-inside-a-window", at: Night.beforeAutumn, done: 5, of: 6,
    shows: "22:00 to 06:00 is nine hours in that night, and all of them are used")

  /// A client in Paris; a server takes an hour and a half. The clocks change at 25:00 UTC, and the
  /// window ends at 28:00 UTC in spring and at 29:00 UTC in autumn.
  private static func clocksChange(
    _ name: String, at midnight: Instant, done: Int, of count: Int, shows: String
  ) -> Scenario {
    Scenario(name, shows: shows) { night in
      night.midnight = midnight
      let servers = (1...count).map { "WEB0\($0)" }
      night.client(
        "ATL", servers, site: "PARIS", windows: [.init(5, 1_320, 1_800)],
        zone: ("Europe/Paris", .european(60)))
      night.policy.times.update = Night.clock(2)
      for server in servers {
        night.server("ATL-PARIS-\(server)") { $0.traits.installs = .seconds(4_800) }
      }
      for server in servers.dropFirst(done) {
        night.ends("ATL-PARIS-\(server)", "NOT_ATTEMPTED window")
      }
      night.leaveOutServers()
      let isSpring = midnight == Night.beforeSpring
      let last = Night.clock(isSpring ? 27 : 28)
      night.claim("nothing starts in the last hour of the window") {
        ($0.all("run.started").map(\.at).max() ?? .max) <= ($0.midnight + last).milliseconds
      }
    }
  }
}

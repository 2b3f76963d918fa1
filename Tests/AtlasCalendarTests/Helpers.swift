import AtlasCalendar
import AtlasModel
import Testing

/// An instant by its ISO 8601 text; `Z` or an offset is required.
func instant(_ text: String) throws -> Instant {
  guard case .instant(let instant)? = InstantText.read(text) else {
    throw BadTestText(text: text)
  }
  return instant
}

struct BadTestText: Error {
  let text: String
}

/// A client whose windows are written in `zone`.
func client(
  _ rules: String..., zone: String = "Europe/Paris", freezes: [Freeze] = []
) -> ClientConfig {
  ClientConfig(
    name: ClientName(trusted: "LAA"), zone: zone,
    windows: rules.map(MaintenanceWindow.init(rule:)), freezes: freezes)
}

/// The client's intervals in the words of its zone: `2026-03-07T22:00:00+01:00/…`.
func intervals(of client: ClientConfig, from: String, until: String) throws -> [String] {
  let zone = try Zone(client.zone)
  return try WindowCalendar.intervals(
    client: client, from: instant(from), until: instant(until)
  ).map { "\(InstantText.write($0.start, in: zone))/\(InstantText.write($0.end, in: zone))" }
}

/// A small generator with a seed, so that a failure can be repeated (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

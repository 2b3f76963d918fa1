import AtlasModel

@testable import AtlasFleetImport

/// A fleet of two clients, LAA and NOR, with one server each.
func smallFleet() -> Fleet {
  Fleet(
    clients: [
      ClientConfig(
        name: "LAA", zone: "Europe/Paris", windows: [MaintenanceWindow(rule: "Sat 22:00-06:00")]),
      ClientConfig(name: "NOR", zone: "Europe/Oslo", windows: [MaintenanceWindow(rule: "always")]),
    ],
    servers: [
      ServerConfig(
        name: "LAA-PARIS-DC01", client: "LAA", site: "PARIS", roles: ["DC"], number: 1,
        updateOrder: 9, system: "windows-2019"),
      ServerConfig(name: "NOR-OSLO-FS01", client: "NOR", site: "OSLO", roles: ["FS"], number: 1),
    ])
}

/// Imports texts under file names over a fleet.
func read(_ files: (name: String, text: String)..., over fleet: Fleet = smallFleet())
  -> FleetImportResult
{
  FleetImport.read(
    documents: files.map { SourceDocument(name: $0.name, text: $0.text) }, over: fleet)
}

/// Names as literals, for fixtures only.
extension ClientName: ExpressibleByStringLiteral {
  package init(stringLiteral text: String) { self.init(trusted: text) }
}

extension ServerName: ExpressibleByStringLiteral {
  package init(stringLiteral text: String) { self.init(trusted: text) }
}

extension SiteName: ExpressibleByStringLiteral {
  package init(stringLiteral text: String) { self.init(trusted: text) }
}

extension Role: ExpressibleByStringLiteral {
  package init(stringLiteral text: String) { self.init(trusted: text) }
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

extension ResourceName: ExpressibleByStringLiteral {
  package init(stringLiteral text: String) { self.init(trusted: text) }
}

extension Tag: ExpressibleByStringLiteral {
  package init(stringLiteral text: String) { self.init(trusted: text) }
}

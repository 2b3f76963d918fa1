import AtlasModel
import Foundation
import Testing

@testable import AtlasFleetImport

@Suite("The page of settings") struct SettingsPageTests {
  @Test("has a row for every setting of a policy, with its usual value", arguments: PolicyKey.all)
  func policyRow(key: PolicyKey) throws {
    let clients = key.isForClients ? "yes" : "no"
    let row = "| `\(key.name)` | \(key.text(Policy())) | \(clients) | \(key.about) |"
    #expect(try page.contains(row + "\n"), "docs/settings.md has no row \(row)")
  }

  @Test("has a row for every time limit of a phase", arguments: TimeKey.all)
  func timeRow(key: TimeKey) throws {
    let row = "| `\(key.campaignKey)` | \(Policy().times[keyPath: key.path].text) | \(key.about) |"
    #expect(try page.contains(row + "\n"), "docs/settings.md has no row \(row)")
  }

  @Test("has a row for every setting of a gate", arguments: GateKey.all)
  func gateRow(key: GateKey) throws {
    let row = "| `\(key.name)` | \(key.text(Policy().gate(after: .canary))) |"
    #expect(try page.contains(row), "docs/settings.md has no row \(row)")
  }

  @Test("has a row for every breaker", arguments: BreakerKey.all)
  func breakerRow(key: BreakerKey) throws {
    let row = "| `\(key.key)` | \(key.text(Breakers())) | \(key.about) |"
    #expect(try page.contains(row + "\n"), "docs/settings.md has no row \(row)")
  }

  @Test("names every setting of a client", arguments: ClientsDocument.clientKeys)
  func clientRow(key: String) throws {
    #expect(try page.contains("| `\(key)` |"), "docs/settings.md has no row of \(key)")
  }

  private var page: String {
    get throws {
      let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      return try String(contentsOf: root.appending(path: "docs/settings.md"), encoding: .utf8)
    }
  }
}

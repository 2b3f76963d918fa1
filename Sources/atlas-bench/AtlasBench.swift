import AtlasEngine
import AtlasModel

/// Measures what can be measured without a network, and prints a row for each budget.
///
/// Nothing here passes or fails: the machine is in the row, and people compare.
@main
enum AtlasBench {
  static func main() async throws {
    let machine = Machine.description
    print(Row.head)
    for row in [EngineSpeed.measure(), EngineMemory.measure(), try await StoreSpeed.measure()] {
      print(row.text(machine))
    }
  }
}

/// One line of the report.
struct Row {
  let name: String
  let budget: String
  let measured: String

  static var head: String {
    Row(name: "what", budget: "budget", measured: "measured").text("machine")
  }

  func text(_ machine: String) -> String {
    padded(name, 32) + padded(budget, 28) + padded(measured, 28) + machine
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}

import AtlasEngine
import AtlasModel
import Foundation

/// Measures what can be measured without a network, and prints a row for each budget.
///
/// Nothing here passes or fails: the machine is in the row, and people compare. With names as
/// arguments it measures only those, for a profiler.
@main
enum AtlasBench {
  private enum Part: String, CaseIterable {
    case engine
    case memory
    case store
    case admission
    case plan

    func measure() async throws -> [Row] {
      switch self {
      case .engine: [EngineSpeed.measure()]
      case .memory: [EngineMemory.measure()]
      case .store: [try await StoreSpeed.measure()]
      case .admission: AdmissionGrowth.measure()
      case .plan: PlanSpeed.measure()
      }
    }
  }

  static func main() async throws {
    let names = CommandLine.arguments.dropFirst()
    let parts = names.compactMap(Part.init)
    guard parts.count == names.count else {
      let known = Part.allCases.map(\.rawValue).joined(separator: " ")
      FileHandle.standardError.write(Data("usage: atlas-bench [\(known)]\n".utf8))
      exit(64)
    }
    let machine = Machine.description
    print(Row.head)
    for part in parts.isEmpty ? Part.allCases : parts {
      for row in try await part.measure() { print(row.text(machine)) }
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
    padded(name, 34) + padded(budget, 28) + padded(measured, 58) + machine
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}

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
    /// Only when it is asked for: what of ``admission`` grows, if it does.
    case admissionParts = "admission-parts"

    static var usual: [Part] { allCases.filter { $0 != .admissionParts } }

    func measure(print: @Sendable (Row) -> Void) async throws {
      switch self {
      case .engine: print(EngineSpeed.measure())
      case .memory: try EngineMemory.measure().forEach(print)
      case .store: print(try await StoreSpeed.measure())
      case .admission: AdmissionGrowth.measure(print: print)
      case .admissionParts: AdmissionGrowth.measureParts(print: print)
      case .plan: try PlanGrowth.measure().forEach(print)
      }
    }
  }

  static func main() async throws {
    let names = Array(CommandLine.arguments.dropFirst())
    if let figures = figures(names) { return print(figures.map { "\($0)" }.joined(separator: " ")) }
    let parts = names.compactMap(Part.init)
    guard parts.count == names.count else {
      let known = Part.allCases.map(\.rawValue).joined(separator: " ")
      FileHandle.standardError.write(Data("usage: atlas-bench [\(known)]\n".utf8))
      exit(64)
    }
    let machine = Machine.description
    print(Row.head)
    for part in parts.isEmpty ? Part.usual : parts {
      try await part.measure { row in
        print(row.text(machine))
        fflush(nil)
      }
    }
  }

  /// What ``Itself`` asked for; nil when a person asked.
  private static func figures(_ names: [String]) -> [Double]? {
    guard names.count == 3, names[0] == Itself.figuresOnly else { return nil }
    switch names[1] {
    case "plan": return Int(names[2]).map(PlanGrowth.figures)
    case "memory": return EngineMemory(rawValue: names[2])?.figures()
    case _: return nil
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
    padded(name, 50) + padded(budget, 30) + padded(measured, 72) + machine
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}

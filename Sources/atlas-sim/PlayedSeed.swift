import ArgumentParser
import AtlasSimulator
import Foundation

/// What a caller names: a seed, or a file with a reduced one.
struct PlayedSeed: ExpressibleByArgument {
  let reduction: Reduction

  init?(argument: String) {
    if let seed = UInt64(argument) {
      reduction = Reduction(seed: seed)
    } else if let text = try? String(contentsOfFile: argument, encoding: .utf8),
      let read = try? Reduction(text: text)
    {
      reduction = read
    } else {
      return nil
    }
  }
}

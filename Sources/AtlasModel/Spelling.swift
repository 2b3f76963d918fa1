/// Finds the word that somebody probably meant, for “did you mean” hints.
package enum Spelling {
  /// The candidate closest to `text`, when it is close enough to be a likely slip.
  ///
  /// Letters are compared without case. A slip is a letter too many, too few, wrong or swapped
  /// with its neighbour; one is allowed in short words, one in every three letters in longer ones.
  /// Of equally close candidates the first wins, so a sorted list gives a steady answer.
  package static func nearest(
    to text: String, among candidates: some Sequence<String>
  ) -> String? {
    let wanted = Array(text.lowercased().utf8.prefix(longest))
    var best: (candidate: String, slips: Int)?
    var allowed = max(1, wanted.count / 3)
    for candidate in candidates {
      let letters = Array(candidate.lowercased().utf8.prefix(longest))
      guard abs(letters.count - wanted.count) <= allowed else { continue }
      let slips = slips(from: wanted, to: letters)
      guard slips <= allowed, slips < best?.slips ?? .max else { continue }
      best = (candidate, slips)
      allowed = slips
    }
    return best?.candidate
  }

  /// Longer words are compared by their beginnings: the table below grows with the square.
  private static let longest = 64

  /// How many slips lead from one word to the other (optimal string alignment).
  private static func slips(from left: [UInt8], to right: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in left.indices {
      var current = [row + 1]
      current.reserveCapacity(right.count + 1)
      for column in right.indices {
        let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
        var least = min(replaced, last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          least = min(least, beforeLast[column - 1] + 1)
        }
        current.append(least)
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}

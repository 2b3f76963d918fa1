/// A pattern of server names: `*` stands for any letters, also none, `?` for one. It must fit the
/// whole name, and case counts, as it does in names.
package struct NamePattern: Hashable, Sendable, CustomStringConvertible {
  package let text: String

  /// Takes a text that is known to be a pattern, such as one read back from the store.
  package init(trusted text: String) { self.text = text }

  /// - Throws: ``NameError`` when it is empty, longer than a server's name may be, or has other
  ///   characters than names have.
  package init(_ text: String) throws(NameError) {
    // What it would be with letters in place of the signs is a name, or it can fit none.
    let bytes = text.utf8.map { $0.isSign ? UInt8(ascii: "x") : $0 }
    let letters = String(decoding: bytes, as: UTF8.self)
    do {
      _ = try ServerName(letters)
    } catch {
      throw NameError(kind: "pattern of a server", text: text, problem: error.problem)
    }
    self.text = text
  }

  package var description: String { text }

  /// Whether it fits the whole of `name`. Takes time of their lengths multiplied at most.
  package func fits(_ name: ServerName) -> Bool {
    let (pattern, letters) = (Array(text.utf8), Array(name.text.utf8))
    var (place, letter) = (0, 0)
    // Where the last star stands, and how much it has taken so far.
    var star: (place: Int, letter: Int)?
    while letter < letters.count {
      if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
        star = (place, letter)
        place += 1
      } else if place < pattern.count,
        pattern[place] == UInt8(ascii: "?") || pattern[place] == letters[letter]
      {
        place += 1
        letter += 1
      } else if let (back, taken) = star {
        star = (back, taken + 1)
        place = back + 1
        letter = taken + 1
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}

extension UInt8 {
  fileprivate var isSign: Bool { self == UInt8(ascii: "*") || self == UInt8(ascii: "?") }
}

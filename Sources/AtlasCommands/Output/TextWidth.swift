extension String {
  /// Without anything that a terminal would obey: control characters (C0, DEL, C1) and marks that
  /// reorder text become visible or go.
  var printable: String {
    if unicodeScalars.allSatisfy(\.isHarmless) { return self }
    var text = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n", "\t", "\r": text += " "
      case _ where scalar.isHarmless: text.unicodeScalars.append(scalar)
      case _: text += "�"
      }
    }
    return text
  }

  /// How many columns of a terminal the text takes.
  var columns: Int {
    if utf8.allSatisfy({ $0 < 0x80 }) { return utf8.count }
    return reduce(0) { $0 + $1.columns }
  }

  /// The longest beginning that takes at most this many columns.
  func prefix(columns limit: Int) -> String {
    var room = limit
    var end = startIndex
    while end < endIndex, self[end].columns <= room {
      room -= self[end].columns
      end = index(after: end)
    }
    return String(self[..<end])
  }

  /// Cut to `columns` with a mark where something is missing.
  func cut(columns limit: Int, with glyphs: Glyphs) -> String {
    if columns <= limit { return self }
    if limit <= 0 { return "" }
    return prefix(columns: limit - glyphs.ellipsis.columns) + glyphs.ellipsis
  }
}

extension Character {
  /// 2 for the wide characters of East Asia and for emoji, else 1.
  fileprivate var columns: Int {
    guard let scalar = unicodeScalars.first?.value else { return 0 }
    let wide: [ClosedRange<UInt32>] = [
      0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD,
    ]
    return wide.contains { $0.contains(scalar) } ? 2 : 1
  }
}

extension Unicode.Scalar {
  /// Not a control character, and none of the marks that reorder the text around them.
  fileprivate var isHarmless: Bool {
    switch value {
    case 0..<0x20, 0x7F...0x9F: false
    case 0x200E...0x200F, 0x202A...0x202E, 0x2066...0x2069, 0x2028...0x2029: false
    case _: true
    }
  }
}

/// The characters of the program that are not ASCII, with what stands for them on terminals that have
/// no Unicode.
struct Glyphs: Sendable, Hashable {
  /// The parts of a bar: done, being worked on, still to come.
  struct Bar: Sendable, Hashable {
    var full: String
    var half: String
    var empty: String
  }

  var ellipsis: String
  var arrow: String
  var times: String
  var rule: String
  var bar: Bar
  /// A server that is done, that waits, and that was left out.
  var done: String
  var waiting: String
  var leftOut: String

  static let unicode = Glyphs(
    ellipsis: "…", arrow: "→", times: "×", rule: "─", bar: Bar(full: "█", half: "▒", empty: "░"),
    done: "■", waiting: "·", leftOut: "○")
  static let ascii = Glyphs(
    ellipsis: "~", arrow: "->", times: "x", rule: "-", bar: Bar(full: "#", half: "+", empty: "."),
    done: "#", waiting: ".", leftOut: "o")
}

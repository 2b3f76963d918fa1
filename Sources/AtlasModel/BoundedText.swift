extension String {
  /// This text, cut to at most `limit` UTF-8 bytes at a character, with control characters but
  /// line breaks and tabs replaced, so that it is safe to store, log and print.
  package func bounded(to limit: Int = Limits.message) -> String {
    // Nearly every text is short and plain, and stays as it is.
    if utf8.count <= limit, utf8.allSatisfy(\.isPlain) { return self }
    var cleaned = ""
    var size = 0
    for character in self {
      let isControl = character.unicodeScalars.contains {
        ($0.value < 0x20 && $0 != "\n" && $0 != "\t") || (0x7f...0x9f).contains($0.value)
      }
      let kept = isControl ? "\u{FFFD}" : character
      size += kept.utf8.count
      if size > limit { break }
      cleaned.append(kept)
    }
    return cleaned
  }
}

extension UInt8 {
  /// A printable ASCII character, a line break or a tab.
  fileprivate var isPlain: Bool { (0x20..<0x7f).contains(self) || self == 0x0a || self == 0x09 }
}

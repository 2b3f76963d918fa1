/// The fingerprint of a key that a daemon signs evidence with, as people name it: the SHA-256 in
/// small hexadecimal letters, or a file that holds nothing else, such as `atlas audit key > FILE`
/// writes.
enum EvidenceFingerprint {
  /// Bytes of such a file; a longer one is something else.
  private static let longestFile = 1_024

  /// - Parameter option: What it was given with, for people.
  /// - Throws: ``Failure`` that says what would be right.
  static func read(_ argument: String, option: String) throws(Failure) -> String {
    if isOne(argument.lowercased()) { return argument.lowercased() }
    guard FileReading.exists(argument), !FileReading.isDirectory(argument) else {
      throw wrong("“\(argument)”, and there is no such file", option)
    }
    let bytes = try FileReading.bytes(of: argument, limit: longestFile)
    let text = String(decoding: bytes, as: UTF8.self)
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 1, isOne(words[0].lowercased()) else {
      throw wrong("what \(argument) holds", option)
    }
    return words[0].lowercased()
  }

  private static func wrong(_ what: String, _ option: String) -> Failure {
    .usage(
      "\(option) is 64 digits and letters a to f, or a file with them, not \(what)",
      hint: "atlas audit key says it where the daemon is")
  }

  static func isOne(_ text: String) -> Bool {
    text.utf8.count == 64
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
      }
  }
}

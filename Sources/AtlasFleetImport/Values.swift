import AtlasModel

/// Reads single values of any file: every refusal names the value and what would be right.
enum Values {
  static func int(_ text: String, in range: ClosedRange<Int>) throws(ValueError) -> Int {
    guard let number = Int(text), range.contains(number) else {
      throw ValueError(
        message: Int(text) == nil ? "“\(text)” is not a whole number" : "\(text) is out of range",
        hint: "write a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// `95%` or `95`; 0.95 would be taken for less than one per cent, so it is refused.
  static func percent(_ text: String) throws(ValueError) -> Int {
    let digits = text.hasSuffix("%") ? String(text.dropLast()) : text
    guard let percent = Int(digits), (0...100).contains(percent) else {
      throw ValueError(
        message: "“\(text)” is not a share",
        hint: "write whole per cent from 0% to 100%, such as 95%")
    }
    return percent
  }

  static func bool(_ text: String) throws(ValueError) -> Bool {
    switch text.lowercased() {
    case "true", "yes", "1": return true
    case "false", "no", "0": return false
    case _:
      throw ValueError(message: "“\(text)” is neither true nor false", hint: "write true or false")
    }
  }

  /// `24h`, `since_last_job`, or both: `since_last_job and 24h`.
  static func backupAge(_ text: String) throws(ValueError) -> BackupAge {
    let age: BackupAge
    do {
      age = try BackupAge(text: text)
    } catch {
      throw ValueError(
        message: "“\(text)” is not an age of backups",
        hint: "write an age such as 24h, since_last_job, or since_last_job and 24h")
    }
    if let longest = age.longest {
      _ = try duration(longest.text, in: ClientConfig.backupAges)
    }
    return age
  }

  static func duration(
    _ text: String, in range: ClosedRange<Duration>
  ) throws(ValueError) -> Duration {
    let duration: Duration
    do {
      duration = try Duration(text: text)
    } catch {
      throw ValueError(
        message: "“\(text)” is not a duration",
        hint: "write a number with a unit, such as 90s, 45m, 1h30m or 2d")
    }
    guard range.contains(duration) else {
      throw ValueError(
        message: "\(text) is out of range",
        hint: "write a duration from \(range.lowerBound.text) to \(range.upperBound.text)")
    }
    return duration
  }

  static func name<Name: CheckedName>(_ text: String) throws(ValueError) -> Name {
    do {
      return try Name(text)
    } catch {
      throw ValueError(message: error.description)
    }
  }

  /// Roles are compared with those of policies, so case must not matter: they become upper case.
  static func role(_ text: String) throws(ValueError) -> Role {
    try name(text.uppercased())
  }

  /// Text that people read: one line, without control characters.
  static func text(_ text: String, limit: Int) throws(ValueError) -> String {
    guard text.utf8.count <= limit else {
      throw ValueError(
        message: "“\(text.prefix(40))…” has \(text.utf8.count) bytes", hint: "at most \(limit)")
    }
    guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
      throw ValueError(
        message: "a line break or control character is in it", hint: "write one line")
    }
    return text
  }

  static func choice<Choice: RawRepresentable & CaseIterable>(
    _ text: String, of type: Choice.Type = Choice.self
  ) throws(ValueError) -> Choice where Choice.RawValue == String {
    guard let choice = Choice(rawValue: text) else {
      let all = Choice.allCases.map(\.rawValue)
      throw ValueError(
        message: "“\(text)” is not known",
        hint: Spelling.nearest(to: text, among: all).map { "did you mean \($0)?" }
          ?? "write \(all.joined(separator: ", "))")
    }
    return choice
  }

  /// Something with one `@` and no spaces: whether it arrives, only a message can tell.
  static func email(_ text: String) throws(ValueError) -> String {
    let halves = text.split(separator: "@", omittingEmptySubsequences: false)
    let isSound = text.unicodeScalars.allSatisfy {
      $0.value > 0x20 && $0.properties.generalCategory != .control
        && !",;<>\"".unicodeScalars.contains($0)
    }
    guard
      halves.count == 2, halves.allSatisfy({ !$0.isEmpty }), isSound, text.utf8.count <= 254
    else {
      throw ValueError(
        message: "“\(text)” is not an e-mail address", hint: "write name@example.com")
    }
    return text
  }

  /// A BCP 47 tag such as `fr` or `pt-BR`: a language, then up to four subtags.
  static func language(_ text: String) throws(ValueError) -> String {
    let tags = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    let isTag =
      (1...5).contains(tags.count) && tags[0].count >= 2 && tags[0].allSatisfy(\.isLetter)
      && tags.allSatisfy { (1...8).contains($0.count) && $0.allSatisfy(\.isLetterOrDigit) }
    guard isTag else {
      throw ValueError(
        message: "“\(text.prefix(40))” is not a language",
        hint: "write a tag such as fr, de or pt-BR")
    }
    return text
  }
}

extension UInt8 {
  /// An ASCII digit.
  var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
  /// A lower-case ASCII letter.
  var isLowercase: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
  /// An ASCII letter.
  var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
  var isLetterOrDigit: Bool { isDigit || isLetter }
}

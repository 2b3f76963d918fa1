import AtlasWire

extension AtlasV1.WindowOpening {
  /// What the clocks and freezes do to it: `1h lost: the clocks go forward`, `2h frozen`; else empty.
  var note: String {
    var notes: [String] = []
    if let real = interval?.length, let nominal = nominal.map({ Duration($0) }), real != nominal {
      let isLost = real < nominal
      let difference = GoogleProtobuf.Duration(isLost ? nominal - real : real - nominal).shortText
      notes.append(
        real == .zero
          ? "left out: the clocks go forward over it"
          : isLost
            ? "\(difference) lost: the clocks go forward"
            : "\(difference) longer: the clocks go back")
    } else if opensReading == .twice || closesReading == .twice {
      notes.append(
        "the clocks show its \(opensReading == .twice ? "start" : "end") twice; the first counts")
    }
    if !freezes.isEmpty {
      let reasons = freezes.map(\.reason).filter { !$0.isEmpty }.joined(separator: ", ")
      let left = usable.reduce(Duration.zero) { $0 + ($1.length ?? .zero) }
      let rest =
        usable.isEmpty ? "nothing is left" : "\(GoogleProtobuf.Duration(left).shortText) left"
      notes.append("frozen\(reasons.isEmpty ? "" : " (\(reasons))"), \(rest)")
    }
    return notes.joined(separator: "; ")
  }

  /// How far its zone is ahead of UTC at both ends: `+01:00`, or `+01:00 to +02:00`.
  var offsets: String {
    let (first, last) = (Self.text(opensOffset), Self.text(closesOffset))
    return first == last ? first : "\(first) to \(last)"
  }

  private static func text(_ seconds: Int32) -> String {
    let minutes = abs(seconds) / 60
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(seconds < 0 ? "-" : "+")\(two(minutes / 60)):\(two(minutes % 60))"
  }
}

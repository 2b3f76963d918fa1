import AtlasModel

/// What goes wrong for a while. Each kind is drawn from a source of its own, so that a seed has the
/// same of all others with it and without it.
extension SeedPlan {
  mutating func drawSpells() {
    for kind in FaultKind.allCases {
      guard var random = kind.source(of: seed), random.happens(300) else { continue }
      menu.kinds.append(kind)
      guard kind.isSpell else { continue }
      spells += (1...random.number(1...3)).map { _ in spell(kind, &random) }
    }
  }

  private func spell(_ kind: FaultKind, _ random: inout Randomness) -> Spell {
    let isForAll = random.happens(500)
    let client = random.pick(clients).config.name
    return Spell(
      kind: kind, at: Self.midnight(&random), lasts: random.minutes(10...120),
      client: isForAll ? nil : client)
  }

  /// A moment in one of the two nights, when windows are open.
  private static func midnight(_ random: inout Randomness) -> Duration {
    .seconds(random.pick([9, 33]) * 3_600) + random.minutes(0...9 * 60)
  }
}

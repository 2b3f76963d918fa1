/// How long to wait before the next session: doubling, with a random part, so that a fleet does
/// not come back in one instant.
struct Backoff {
  private var failures = 0
  private var random: SplitMix64

  init(random: SplitMix64) { self.random = random }

  /// The wait after a session that lived for `lifetime`; nil means that none was possible.
  mutating func next(after lifetime: Duration?) -> Duration {
    if let lifetime, lifetime >= KitLimits.steadySession { failures = 0 }
    let doubled = KitLimits.shortestBackoff * (1 << min(failures, 16))
    failures += 1
    let wait = min(doubled, KitLimits.longestBackoff)
    return wait / 2 + wait / 2 * Int.random(in: 0...1_000, using: &random) / 1_000
  }
}

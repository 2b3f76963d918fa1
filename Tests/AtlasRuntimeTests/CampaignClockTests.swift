import AtlasModel
import AtlasRuntime
import Testing

@Suite struct `The clock of a campaign` {
  @Test func `never goes back, and jumps forward only`() {
    let start = Instant(milliseconds: 1_795_298_400_000)
    let clock = CampaignClock(factor: 1_000, start: start)
    #expect(clock.now >= start)
    clock.jump(to: start + .seconds(86_400))
    let later = clock.now
    #expect(later >= start + .seconds(86_400))
    clock.jump(to: start)
    #expect(clock.now >= later)
  }

  @Test func `rounds the wait up, so that the instant has come when it is over`() {
    let clock = CampaignClock(factor: 1_000, start: Instant(milliseconds: 0))
    let wait = clock.realDelay(until: Instant(milliseconds: 3_600_000))
    #expect(wait > .seconds(3) && wait <= .milliseconds(3_600))
    #expect(clock.realDelay(until: Instant(milliseconds: -1)) == .zero)
  }

  @Test func `stands still until the machine's clock has caught up with the last commit`() {
    let last = Instant(milliseconds: CampaignClock.realMilliseconds + 3_600_000)
    let clock = CampaignClock(factor: 1, start: last)
    #expect(clock.now == last)
    #expect(clock.now == last)
  }

  @Test func `bounds the wait for an instant that never comes`() {
    let clock = CampaignClock(factor: 1, start: nil)
    #expect(clock.realDelay(until: .distantFuture) <= .seconds(100 * 366 * 86_400))
    #expect(clock.realDelay(until: .distantFuture) > .seconds(86_400))
  }
}

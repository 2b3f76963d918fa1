import AtlasModel
import Testing

@testable import AtlasLua

@Suite("One timer for all deadlines")
struct DeadlineWatchTests {
  private let clock = ManualClock()

  @Test("Runs are stopped at their own deadlines, whatever the order in which they began")
  func order() async {
    let watch = DeadlineWatch(clock: clock)
    let handles = (0..<4).map { _ in RunHandle() }
    for (handle, seconds) in zip(handles, [30, 10, 40, 20]) {
      _ = watch.add(handle, at: clock.now() + .seconds(seconds))
    }
    for stopped in [[false, true, false, false], [false, true, false, true]] {
      // The timer for the first deadline replaced the one before, which ends at its leisure.
      await clock.sleepers(1, within: .seconds(10))
      clock.advance(by: .seconds(10))
      while handles.map({ $0.reason == .deadline }) != stopped { await Task.yield() }
    }
  }

  @Test("A run that has ended is not stopped, and the others still are")
  func removed() async {
    let watch = DeadlineWatch(clock: clock)
    let (first, second) = (RunHandle(), RunHandle())
    let ticket = watch.add(first, at: clock.now() + .seconds(10))
    _ = watch.add(second, at: clock.now() + .seconds(20))
    watch.remove(ticket)
    watch.remove(ticket)
    await clock.sleepers(1, within: .seconds(10))
    clock.advance(by: .seconds(10))
    await clock.sleepers(1, within: .seconds(10))
    clock.advance(by: .seconds(10))
    while second.reason == nil { await Task.yield() }
    #expect(first.reason == nil)
  }

  @Test("A deadline that has passed stops its run at once")
  func passed() async {
    let watch = DeadlineWatch(clock: clock)
    let handle = RunHandle()
    _ = watch.add(handle, at: clock.now() + .seconds(-1))
    while handle.reason == nil { await Task.yield() }
    #expect(handle.reason == .deadline)
  }
}

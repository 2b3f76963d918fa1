import AtlasModel
import Testing

@testable import AtlasCalendar

@Suite("Windows from now on")
struct WindowAheadTests {
  /// A Sunday at noon.
  private let now = Zone.utc.instant(of: WallTime(day: 20_779, minute: 720))

  @Test(
    "one with a part that never opens again is refused",
    arguments: [
      ("RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22;UNTIL=20251231 DURATION:PT8H", false),
      ("RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22;UNTIL=20991231 DURATION:PT8H", true),
      ("DTSTART:20260103T220000 RRULE:FREQ=WEEKLY;COUNT=4 DURATION:PT8H", false),
      ("DTSTART:20260103T220000 RRULE:FREQ=WEEKLY;COUNT=400 DURATION:PT8H", true),
      ("DTSTART:20260103T220000 RRULE:FREQ=YEARLY;INTERVAL=99 DURATION:PT8H", false),
      ("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=22 DURATION:PT8H", true),
      // It is still open.
      ("DTSTART:20261122T080000 RRULE:FREQ=WEEKLY;COUNT=1 DURATION:PT8H", true),
      ("DTSTART:20261122T030000 RRULE:FREQ=WEEKLY;COUNT=1 DURATION:PT8H", false),
      ("Sat 22:00-06:00", true), ("always", true),
      ("always | RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22;UNTIL=20251231 DURATION:PT8H", false),
    ])
  func openings(rule: String, opens: Bool) throws {
    var refused: WindowError?
    do throws(WindowError) {
      try WindowCalendar.demandOpenings(
        of: MaintenanceWindow(rule: rule), zone: "UTC", after: now)
    } catch { refused = error }
    #expect((refused == nil) == opens, "\(String(describing: refused))")
    guard let refused else { return }
    #expect(refused.message.contains("never opens again"))
  }

  @Test(
    "two clients meet when some moment is in windows of both, and in no freeze",
    arguments: [
      ("Sat 22:00-06:00", "Sun 05:00-09:00", true), ("Sat 22:00-06:00", "Sun 06:00-09:00", false),
      ("always", "Mon 01:00-01:30", true), ("daily 22:00-23:00", "daily 23:00-24:00", false),
      (
        "daily 22:00-04:00", "RRULE:FREQ=YEARLY;BYMONTH=6;BYMONTHDAY=1;BYHOUR=3 DURATION:PT1H",
        true
      ),
    ])
  func meets(first: String, second: String, meet: Bool) throws {
    func client(_ rule: String) -> ClientConfig {
      ClientConfig(name: ClientName(trusted: "LAA"), windows: [MaintenanceWindow(rule: rule)])
    }
    #expect(try WindowCalendar.meet(client(first), client(second), from: now) == meet)
    #expect(try WindowCalendar.meet(client(second), client(first), from: now) == meet)
    var frozen = client(first)
    frozen.freezes = [
      Freeze(interval: Interval(start: now, end: now + .seconds(500 * 86_400)), reason: "sold")
    ]
    #expect(try !WindowCalendar.meet(frozen, client(second), from: now))
  }

  @Test("a campaign's own windows open at other instants in other zones")
  func zones() throws {
    let windows = try WindowCalendar.intervals(
      of: MaintenanceWindow(rule: "Sun 22:00-23:00"), zones: ["UTC", "Asia/Tokyo"], around: now)
    #expect(windows.map(\.zone) == ["Asia/Tokyo", "UTC"])
    let next = windows.map { $0.windows.first { $0.start > now - .seconds(3 * 3_600) }?.start }
    #expect(next == [now + .seconds(3_600), now + .seconds(10 * 3_600)])
  }
}

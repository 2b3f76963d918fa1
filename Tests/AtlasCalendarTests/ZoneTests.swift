import AtlasModel
import Foundation
import Testing

@testable import AtlasCalendar

@Suite("Zones")
struct ZoneTests {
  @Test(
    "a wall time is the moment at which clocks show it",
    arguments: [
      ("Europe/Paris", "2026-01-15T12:00:00", "2026-01-15T11:00:00Z"),
      ("Europe/Paris", "2026-07-15T12:00:00", "2026-07-15T10:00:00Z"),
      ("America/St_Johns", "2026-01-15T12:00:00", "2026-01-15T15:30:00Z"),
      ("Asia/Kathmandu", "2026-01-15T12:00:00", "2026-01-15T06:15:00Z"),
      ("UTC", "2026-01-15T12:00:00", "2026-01-15T12:00:00Z"),
    ])
  func ordinaryTimes(zone: String, wall: String, expected: String) throws {
    #expect(try resolve(wall, in: zone) == instant(expected))
  }

  @Test(
    "a time that is left out in spring is the moment at which clocks are turned forward",
    arguments: [
      ("Europe/Paris", "2026-03-29T02:30:00", "2026-03-29T01:00:00Z"),
      ("Europe/Paris", "2026-03-29T02:00:00", "2026-03-29T01:00:00Z"),
      ("Europe/Paris", "2026-03-29T03:00:00", "2026-03-29T01:00:00Z"),
      ("America/New_York", "2026-03-08T02:59:59", "2026-03-08T07:00:00Z"),
      // Half an hour only.
      ("Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:30:00Z"),
      // Midnight itself.
      ("Africa/Cairo", "2026-04-24T00:00:00", "2026-04-23T22:00:00Z"),
      // A whole day, when Samoa moved across the date line.
      ("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T10:00:00Z"),
    ])
  func gaps(zone: String, wall: String, expected: String) throws {
    #expect(try resolve(wall, in: zone) == instant(expected))
  }

  @Test(
    "a time that comes twice in autumn is the first of them",
    arguments: [
      ("Europe/Paris", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
      ("Europe/Paris", "2026-10-25T02:00:00", "2026-10-25T00:00:00Z"),
      ("Europe/Paris", "2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
      ("America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30:00Z"),
      ("Australia/Lord_Howe", "2026-04-05T01:45:00", "2026-04-04T14:45:00Z"),
    ])
  func repeatedTimes(zone: String, wall: String, expected: String) throws {
    #expect(try resolve(wall, in: zone) == instant(expected))
  }

  @Test("every quarter of an hour of two years agrees with Foundation, in zones of every kind")
  func agreesWithFoundation() throws {
    let zones = [
      "Europe/Paris", "Europe/London", "America/Sao_Paulo", "America/New_York",
      "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tehran", "Pacific/Chatham",
    ]
    for name in zones {
      let zone = try Zone(name)
      let rules = try #require(TimeZone(identifier: name))
      for quarter in 0..<70_080 {
        let second = 1_767_225_600 + quarter * 900
        let date = Date(timeIntervalSince1970: TimeInterval(second))
        let offset = rules.secondsFromGMT(for: date)
        let wall = WallTime(seconds: second + offset)
        let found = zone.instant(of: wall)
        // Either the very moment, or an earlier one at which clocks showed the same.
        let isSame = found.milliseconds == Int64(second) * 1_000
        let isEarlier =
          found.milliseconds < Int64(second) * 1_000 && zone.wallTime(at: found) == wall
        guard isSame || isEarlier else {
          Issue.record("\(name): \(InstantText.write(found)) for \(date)")
          break
        }
      }
    }
  }

  @Test(
    "names that are no zones are refused, with the one that was meant",
    arguments: [
      ("Europe/Pariss", "did you mean Europe/Paris?"),
      ("europe/paris", "did you mean Europe/Paris?"),
      ("Paris", "did you mean Europe/Paris?"),
      ("Berlin", "did you mean Europe/Berlin?"),
      ("CEST", "write an IANA name such as Europe/Paris"),
      ("GMT+1", "write an IANA name such as Europe/Paris"),
      ("", "write an IANA name such as Europe/Paris"),
      ("../etc/passwd", "write an IANA name such as Europe/Paris"),
    ])
  func refusesOthers(name: String, hint: String) {
    let error = #expect(throws: WindowError.self) { try Zone(name) }
    #expect(error?.message == "“\(name)” is not a time zone")
    #expect(error?.hint == hint)
  }

  private func resolve(_ wall: String, in zone: String) throws -> Instant {
    guard case .wall(let time)? = InstantText.read(wall) else { throw BadTestText(text: wall) }
    return try Zone(zone).instant(of: time)
  }
}

import AtlasEngine
import AtlasModel
import AtlasStore
import Testing

@testable import AtlasControl

@Suite("Servers that are down or unexplained")
struct OccupiedTests {
  /// A fleet whose second server was silent for five minutes.
  private func desk() throws -> Desk {
    var desk = try Desk()
    _ = desk.importFleet()
    for (number, name) in [Desk.first, Desk.second].enumerated() {
      desk.take(.sessionOpened(SessionID(UInt64(number)), Desk.hello(name)))
      _ = desk.commitAll()
    }
    desk.take(.sessionClosed(SessionID(1)))
    _ = desk.commitAll()
    desk.now = desk.now + .seconds(300)
    return desk
  }

  private func server(_ desk: inout Desk) throws -> ServerView {
    let ticket = desk.ask(.server(Desk.second))
    guard case .answer(.server(let view)) = desk.drain().reply(ticket) else {
      throw RowError(row: "server", problem: "no answer")
    }
    return view
  }

  private func client(_ desk: inout Desk) throws -> ClientView {
    let ticket = desk.ask(.client(Desk.client))
    guard case .answer(.client(let view)) = desk.drain().reply(ticket) else {
      throw RowError(row: "client", problem: "no answer")
    }
    return view
  }

  @Test("are shown with the server and with its client, until they are dismissed")
  func views() throws {
    var desk = try desk()
    let before = try (server(&desk), client(&desk))
    #expect(before.0.unexplained == "\(Desk.second) has been silent since 1970-01-01 00:16 UTC")
    #expect(before.1.unexplained == [Desk.second])
    #expect(before.1.occupied == 1)
    let ticket = desk.ask(.dismissServer(Desk.second, reason: "a new disk"))
    let batches = desk.commitAll()
    #expect(batches.flatMap(\.records).map(\.kind) == ["server.dismissed"])
    guard case .answer(.server(let view)) = desk.drain().reply(ticket) else {
      Issue.record("the dismissal was not answered")
      return
    }
    #expect(view.unexplained == "")
    #expect(view.dismissed?.reason == "a new disk")
    #expect(view.dismissed?.principal == "kim")
    #expect(try client(&desk).occupied == 0)
    desk.ask(.recallServer(Desk.second))
    #expect(desk.commitAll().flatMap(\.records).map(\.kind) == ["server.recalled"])
    #expect(try server(&desk) == before.0.with(etag: "2"))
  }

  @Test("do not count in an outage, which is stored and read back")
  func outage() throws {
    var desk = try desk()
    let until = desk.now + .seconds(3_600)
    let ticket = desk.ask(
      .declareOutage(
        Desk.client, from: nil, until: until, parallel: 2, reason: "the shop is closed"))
    let rows = desk.commitAll().flatMap(\.puts)
    guard case .answer(.client(let view)) = desk.drain().reply(ticket) else {
      Issue.record("the outage was not answered")
      return
    }
    let expected = Outage(
      from: desk.now, until: until, parallel: 2, reason: "the shop is closed", principal: "kim",
      declaredAt: desk.now)
    #expect(view.outage == expected)
    #expect(view.unexplained == [Desk.second])
    #expect(view.occupied == 0)
    let row = try #require(rows.first { $0.key.table == .client })
    var reader = try ByteReader(row.body, versions: StateRows.readable, row: "client")
    #expect(try reader.client().outage == expected)
    desk.ask(.endOutage(Desk.client))
    #expect(desk.commitAll().flatMap(\.records).map(\.kind) == ["client.outage_ended"])
    #expect(try client(&desk).outage == nil)
  }

  @Test("of a detail of a record is read back, and of nothing else")
  func detail() {
    let outage = Outage(
      from: Instant(milliseconds: 5), until: Instant(milliseconds: 9), parallel: nil,
      reason: "r", principal: "kim", declaredAt: Instant(milliseconds: 1))
    let read = { Outage(detail: $0, reason: "r", principal: "kim", declaredAt: outage.declaredAt) }
    #expect(read(outage.detail) == outage)
    #expect(read("5/9") == nil)
    #expect(read("") == nil)
  }
}

extension ServerView {
  fileprivate func with(etag: String) -> ServerView {
    var view = self
    view.etag = etag
    return view
  }
}

import AtlasHooks
import AtlasModel
import AtlasRuntime
import Testing

@Suite struct `The lines of hooks` {
  private func line(_ client: String, _ message: String) throws -> HookLogRecord {
    HookLogRecord(
      time: Instant(milliseconds: 0), key: "night/\(client)-PARIS-WEB01",
      client: try ClientName(client), server: try ServerName("\(client)-PARIS-WEB01"),
      campaign: try CampaignName("night"), point: .preUpdate, level: .info, message: message)
  }

  @Test func `go to those who watch their client, and to those who watch all`() async throws {
    let feed = HookLogFeed()
    let all = try #require(feed.watch(campaign: nil, client: nil))
    let one = try #require(feed.watch(campaign: nil, client: try ClientName("ALF")))
    feed.publish(try line("ALF", "first"))
    feed.publish(try line("BET", "second"))
    feed.close()
    #expect(await all.reduce(into: []) { $0.append($1.message) } == ["first", "second"])
    #expect(await one.reduce(into: []) { $0.append($1.message) } == ["first"])
  }

  @Test func `wait for a slow reader up to a limit, and then it misses the oldest`() async throws {
    let feed = HookLogFeed()
    let slow = try #require(feed.watch(campaign: nil, client: nil))
    for number in 0..<Limits.waitingLogLines + 2 { feed.publish(try line("ALF", "\(number)")) }
    feed.close()
    let read = await slow.reduce(into: []) { $0.append($1.message) }
    #expect(read.count == Limits.waitingLogLines)
    #expect(read.first == "2")
  }

  @Test func `have a limited number of readers`() {
    let feed = HookLogFeed()
    let watchers = (0..<Limits.logWatchers).map { _ in feed.watch(campaign: nil, client: nil) }
    #expect(watchers.allSatisfy { $0 != nil })
    #expect(feed.watch(campaign: nil, client: nil) == nil)
  }
}

import AtlasWire
import Testing

@testable import AtlasCommands

@Suite("The view of a campaign")
struct WatchViewTests {
  /// A night that has been going on for a while.
  private func state(
    clients: Int = 12, servers: Int = 10, steps: Int = 60,
    _ change: (inout World) -> Void = { _ in }
  ) throws -> WatchState {
    var world = World.november(clients: clients, servers: servers, factor: 1000)
    var numbers = SeededNumbers(seed: 7)
    for _ in 0..<steps { world.pass(minutes: 8, with: &numbers) }
    change(&world)
    var state = WatchState(name: "november")
    state.apply(try world.campaign("november"))
    state.apply(world.rings["november"] ?? [])
    state.apply(
      AtlasV1.StreamMetricsResponse(
        metrics: try world.metrics("november", client: "", details: true), snapshot: true))
    state.apply(history: world.records.reversed())
    state.apply(world.runs["november"] ?? [])
    return state
  }

  private func text(
    _ state: WatchState, columns: Int, rows: Int, glyphs: Glyphs = .unicode,
    order: WatchOrder = .attention, isPaused: Bool = false
  ) -> [String] {
    let times = TimeText(
      style: .relative, now: state.clock?.campaignTime?.millisecondsSinceEpoch ?? 0,
      local: { "local \($0)" })
    return WatchView(
      state: state, order: order, isPaused: isPaused,
      size: TerminalSize(columns: columns, rows: rows), glyphs: glyphs, times: times
    ).lines.map(\.plainText)
  }

  private func trimmed(_ lines: [String]) -> String {
    lines.map { line in
      var line = line
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }

  @Test("fits a small terminal")
  func small() throws {
    let shown = trimmed(text(try state(), columns: 80, rows: 24))
    #expect(
      shown == """
        november  ACTIVE                           REHEARSAL ×1000  2026-11-22T10:00:00Z
        ██████████████████████▒▒▒▒▒▒░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 40/120 33.3 %
        elapsed 8h   left ~5h   success 97.3 %   clients 12/12   agents 120
        37 completed   12 in progress   1 failed   2 not attempted   1 down   68 pending
        ── rings ───────────────────────────────────────────────────────────────────────
        0 canary    ██████▒░░░░░ 15/30  ACTIVE     gate open
        1 pilot     █████▒░░░░░░ 12/30  ACTIVE     gate open
        2 standard  ████▒░░░░░░░  9/30  ACTIVE     gate open
        3 critical  ██▒░░░░░░░░░  4/30  ACTIVE     gate open
        ── clients by attention ────────────────────────────────────────────────────────
        TEXAN  1 ■■■Xu····· 4/10   FJORD  3 ■c········ 1/10
        ALPINA 2 -■■s······ 3/10   KBB    0 ■■■■■s···· 5/10
        BRIGG  2 ■■■s······ 3/10   LAA    0 ■■■■■u···· 5/10
        CORVUS 2 ■■■s······ 3/10   NORD   0 ■■■■■s···· 5/10
        DELTA  3 ■r········ 1/10   OPTIKA 1 ■■■■u····· 4/10
        EIDER  3 -■u······· 2/10   SUND   1 ■■■■u····· 4/10
        ── events ──────────────────────────────────────────────────────────────────────
        09:20:00  TEXAN-PARIS-APP04  IN_PROGRESS → FAILED  KB5031234 failed with 0x8007…
        09:20:00  ring 3  gate.opened  sample is well
        09:36:00  NORD-PARIS-APP05  IN_PROGRESS → COMPLETED
        09:52:00  ALPINA-PARIS-APP03  IN_PROGRESS → COMPLETED
        ■ done  X failed  s start  u update  r reboot  c check  - not attempted
        · waiting
        q quit  s sort: attention  p pause the view
        """)
  }

  @Test("draws with ASCII where there is nothing else")
  func ascii() throws {
    let shown = trimmed(text(try state(), columns: 60, rows: 16, glyphs: .ascii))
    #expect(
      shown == """
        november  ACTIVE       REHEARSAL x1000  2026-11-22T10:00:00Z
        ################+++........................... 40/120 33.3 %
        elapsed 8h   left ~5h   success 97.3 %   clients 12/12   ag~
        37 completed   12 in progress   1 failed   2 not attempted ~
        -- rings ---------------------------------------------------
        0 canary    ######+..... 15/30  ACTIVE     gate open
        1 pilot     #####+...... 12/30  ACTIVE     gate open
        2 standard  ####+.......  9/30  ACTIVE     gate open
        3 critical  ##+.........  4/30  ACTIVE     gate open
        -- clients by attention: 6 of 12 ---------------------------
        TEXAN  1 ###Xu..... 4/10   CORVUS 2 ###s...... 3/10
        ALPINA 2 -##s...... 3/10   DELTA  3 #r........ 1/10
        BRIGG  2 ###s...... 3/10   EIDER  3 -#u....... 2/10
        # done  X failed  s start  u update  r reboot  c check
        - not attempted  . waiting
        q quit  s sort: attention  p pause the view
        """)
  }

  @Test("shows first what must not be overlooked")
  func alerts() throws {
    var state = try state(clients: 3, servers: 4, steps: 20) { world in
      world.campaigns[0].flags = [
        .init(
          kind: "paused", scope: "ring 2", reason: "lunch", principal: "bob", since: world.time(-60)
        ),
        .init(
          kind: "stopped", scope: "fleet", reason: "mail down", principal: "anna",
          since: world.time(-300)),
      ]
    }
    state.lost = "cannot reach the daemon at 127.0.0.1:7443"
    #expect(
      trimmed(text(state, columns: 78, rows: 20, isPaused: true)) == """
        november  VIEW PAUSED  ACTIVE, stopped,… REHEARSAL ×1000  2026-11-22T04:40:00Z
        █████▒▒▒▒▒▒░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 1/12 8.3 %
        elapsed 2h40m   left ~2h45m   success 100 %   clients 1/3   agents 12
        1 completed   1 in progress   1 down   10 pending
         NO CONNECTION  cannot reach the daemon at 127.0.0.1:7443
         STOPPED  fleet 5m ago by anna: mail down
         PAUSED  ring 2 1m ago by bob: lunch
        ── rings ─────────────────────────────────────────────────────────────────────
        0 canary    ███▒▒▒░░░░░░ 1/4  ACTIVE     gate closed: 3 completed, 30m of soak
        1 pilot     ░░░░░░░░░░░░ 0/4  WAITING    gate closed: 3 completed, 30m of soak
        2 standard  ░░░░░░░░░░░░ 0/4  WAITING    gate closed: 3 completed, 30m of soak
        3 critical  ░░░░░░░░░░░░ 0/0  WAITING    gate closed: 3 completed, 30m of soak
        ── clients by attention ──────────────────────────────────────────────────────
        LAA  0 ■r·· 1/4 PARIS-WEB02 reboot
        KBB  1 ···· 0/4
        NORD 2 ···· 0/4


        ■ done  r reboot  · waiting
        q quit  s sort: attention  p go on
        """)
  }

  @Test("names the decisions that a settled campaign waits for")
  func settled() throws {
    let state = try state(clients: 2, servers: 2, steps: 3) { world in
      world.campaigns[0].settled = true
      world.campaigns[0].decisions = [
        "LAA-PARIS-WEB01 is HELD (UNHEALTHY): retry, rollback, accept"
      ]
    }
    #expect(
      trimmed(text(state, columns: 80, rows: 16)) == """
        november  ACTIVE, waits for people         REHEARSAL ×1000  2026-11-22T02:24:00Z
        ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 0/4 0 %
        elapsed 24m   success -   clients 0/2   agents 4
        4 pending
        waits for people: atlas campaign resolve november SERVER retry|rollback|accept
          LAA-PARIS-WEB01 is HELD (UNHEALTHY): retry, rollback, accept
        ── rings ───────────────────────────────────────────────────────────────────────
        0 canary    ░░░░░░░░░░░░ 0/2  ACTIVE     gate closed: 3 completed, 30m of soak
        1 pilot     ░░░░░░░░░░░░ 0/0  WAITING    gate closed: 3 completed, 30m of soak
        2 standard  ░░░░░░░░░░░░ 0/2  WAITING    gate closed: 3 completed, 30m of soak
        3 critical  ░░░░░░░░░░░░ 0/0  WAITING    gate closed: 3 completed, 30m of soak
        ── clients by attention ────────────────────────────────────────────────────────
        KBB 2 ··   0/2
        LAA 0 ··   0/2
        · waiting
        q quit  s sort: attention  p pause the view
        """)
  }

  @Test("uses the room of a large terminal: all clients, and what their servers do")
  func large() throws {
    let state = try state(clients: 100, steps: 12) { world in
      _ = try? world.change(run: "LAA-PARIS-WEB01", of: "november") { $0.state = .held }
    }
    let lines = text(state, columns: 200, rows: 60)
    #expect(lines.count == 60)
    for client in state.clients {
      #expect(lines.contains { $0.contains("\(client.name) ") }, "\(client.name) is missing")
    }
    #expect(lines.contains { $0.contains("clients by attention ─") })
    #expect(lines.contains { $0.contains("PARIS-WEB01 held ") })
    #expect(lines.contains { $0.contains(" update ") })
  }

  @Test("is never larger than the terminal", arguments: [1, 3, 40])
  func bounds(clients: Int) throws {
    let state = try state(clients: clients, servers: 3, steps: 12)
    for columns in [1, 2, 5, 10, 20, 39, 40, 79, 80, 81, 133, 200, 400] {
      for rows in [1, 2, 3, 5, 8, 12, 24, 60] {
        let lines = text(state, columns: columns, rows: rows)
        #expect(lines.count <= rows, "\(columns) by \(rows)")
        #expect(lines.allSatisfy { $0.columns <= columns }, "\(columns) by \(rows)")
      }
    }
  }

  @Test("shows many servers of a client as runs of equal ones")
  func manyServers() throws {
    var state = WatchState(name: "x")
    state.apply(
      (0..<120).map { index in
        AtlasV1.ServerRun(
          server: "A-\(1000 + index)", client: "A", state: index < 50 ? .completed : .pending,
          order: Int32(index))
      })
    state.apply(
      AtlasV1.Record(seq: 1, client: "A", server: "A-1050", toState: .inProgress, phase: .update))
    let lines = text(state, columns: 80, rows: 12)
    #expect(lines.contains { $0.hasPrefix("A 0 ■50 u·69") })
  }

  @Test("shows shares where there are too many servers to show")
  func shares() throws {
    var state = WatchState(name: "x")
    state.apply(
      AtlasV1.StreamMetricsResponse(
        metrics: .init(
          servers: .init(total: 100),
          clientMetrics: [
            .init(client: "A", ring: 1, servers: .init(total: 100, inProgress: 10, completed: 50))
          ]), snapshot: true))
    #expect(text(state, columns: 80, rows: 12).contains { $0.hasPrefix("A 1 █████▒░░░░ 50/100") })
  }

  @Test("says what it waits for before anything is known")
  func empty() {
    #expect(
      trimmed(text(WatchState(name: "november"), columns: 40, rows: 9)) == """
        november                               -
        ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 0/0 0 %
        waiting for figures

        ── clients ─────────────────────────────
        waiting for the servers


        q quit  s sort: attention  p pause the …
        """)
  }

  @Test("has colours only in escape sequences")
  func colours() throws {
    let state = try state()
    let times = TimeText(style: .iso, now: 0, local: { "\($0)" })
    let view = WatchView(
      state: state, order: .name, isPaused: false, size: TerminalSize(columns: 80, rows: 24),
      glyphs: .unicode, times: times)
    for line in view.lines {
      let coloured = line.text(in: .ansi)
      #expect(coloured.replacing(/\u{1B}\[[0-9;]*m/, with: "") == line.plainText)
    }
  }
}

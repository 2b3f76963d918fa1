import AtlasEngine
import AtlasModel
import AtlasTestKit
import Testing

/// A snapshot that a hook took before it came to a bad end: it is there, and must go.
@Suite struct `A snapshot that a hook left` {
  private let server = "LAA-PARIS-WEB01"

  private static let ends: [(HookVerdict, String)] = [
    (.fail("the datastore is slow", retryable: true), "the datastore is slow"),
    (.error("hook.lua:7: script: boom"), "hook.lua:7: script: boom"),
    (.timeout("deadline: 15m"), "deadline: 15m"),
    (.skip("not here"), "not here"),
    (.deferred(after: .seconds(60), reason: "a backup runs"), "a backup runs"),
    (.cancelled, "the hook was cancelled"),
  ]

  @Test(arguments: ends)
  func `is removed by the finalize hook before the slot is returned`(
    end: HookVerdict, reason: String
  ) {
    var world = EngineWorld(.laa([server]))
    world.script.answer(.snapshot, with: .snapshot(then: end))
    world.script.answer(.finalize, with: .ok)
    world.campaign("patch-11")
    world.run(until: server, .finalize)
    let run = world.run(server)
    let ending = Work(.finalize, .hook(.finalize), ending: .notAttempted(.hook))
    #expect(world.state[run].state == .inProgress(ending))
    #expect(world.state[run].marks == [.snapshotByHook])
    #expect(world.state[run].details.content.snapshot?.id == "patch-11/LAA-PARIS-WEB01")
    world.settle()
    #expect(world.state[run].state == .notAttempted(.hook))
    #expect(world.state[run].details.content.snapshot == nil)
    #expect(world.state[run].details.content.lastError == reason)
    #expect(world.state[run].attempt == 0)
    #expect(world.violations == [])
  }

  @Test(arguments: [HookAnswer.notDefined, .says(.fail("the host is busy", retryable: true))])
  func `stays known when no hook removes it`(finalize: HookAnswer) {
    var world = EngineWorld(.laa([server]))
    world.script.answer(.snapshot, with: .snapshot(then: .error("boom")))
    world.script.answer(.finalize, with: finalize)
    world.campaign("patch-11")
    world.settle()
    let run = world.run(server)
    #expect(world.state[run].state == .notAttempted(.hook))
    #expect(world.state[run].details.content.snapshot?.id == "patch-11/LAA-PARIS-WEB01")
    #expect(world.violations == [])
  }

  @Test(arguments: [HookPoint.preUpdate, .verifyBackup], ends)
  func `in PRE_CHECK is no snapshot of the run`(point: HookPoint, end: (HookVerdict, String)) {
    var world = EngineWorld(.laa([server]))
    world.script.answer(point, with: .snapshot(then: end.0))
    world.campaign("patch-11")
    world.run { $0.state[$0.run(self.server)].state.kind != .inProgress && $0.now > $0.trouble }
    let run = world.state[world.run(server)]
    #expect(run.details.content.snapshot == nil)
    #expect(!run.marks.contains(.snapshotByHook))
    #expect(!world.story.contains("FINALIZE"))
    #expect(world.violations == [])
  }

  @Test func `by a hook that was held up by a loss is removed on the way back`() {
    var world = EngineWorld(.laa([server]))
    world.script.answer(.snapshot, with: .never)
    world.script.answer(.finalize, with: .ok)
    world.campaign("patch-11")
    world.run(until: server, .snapshot, .hook(.snapshot))
    let run = world.run(server)
    let serial = world.state[run].hookSerial
    world.disconnect(server)
    world.run { $0.state[run].state == .held(.lost) }
    let fact = SnapshotFact(id: "s1", takenAt: world.now)
    world.step(.hookFinished(run, serial: serial, .left(fact, after: .cancelled)))
    #expect(world.state[run].state == .held(.lost))
    #expect(world.state[run].details.content.snapshot == fact)
    world.script.answer(.snapshot, with: .says(.fail("no", retryable: false)))
    world.connect(server)
    world.settle()
    #expect(world.state[run].state == .notAttempted(.hook))
    #expect(world.state[run].details.content.snapshot == nil)
    #expect(world.violations == [])
  }

  @Test func `by a hook that a stop met while its agent was lost is removed as well`() {
    var world = EngineWorld(.laa([server]))
    world.script.answer(.snapshot, with: .never)
    world.script.answer(.finalize, with: .ok)
    world.campaign("patch-11")
    world.run(until: server, .snapshot, .hook(.snapshot))
    let run = world.run(server)
    let serial = world.state[run].hookSerial
    world.disconnect(server)
    world.run { $0.state[run].state == .held(.lost) }
    world.stop()
    let fact = SnapshotFact(id: "s1", takenAt: world.now)
    world.step(.hookFinished(run, serial: serial, .left(fact, after: .cancelled)))
    #expect(world.state[run].details.content.snapshot == fact)
    world.connect(server)
    world.settle()
    #expect(world.state[run].state == .pending(notBefore: nil))
    #expect(world.state[run].details.content.snapshot == nil)
    #expect(world.story.contains("FINALIZE"))
    #expect(world.violations == [])
  }

  @Test func `is told in the story of the night`() throws {
    var world = EngineWorld(.laa([server, "LAA-PARIS-WEB02"]))
    world.script.answer(
      .snapshot, of: server,
      with: .snapshot(then: .error("LAA.lua:7: script: attempt to index a nil value")))
    world.script.answer(.finalize, with: .ok)
    world.campaign("patch-11")
    world.settle()
    try Golden.expect(world, tells: "snapshot-left")
  }
}

extension EngineWorld {
  /// When the first hook of a night has come to its end.
  fileprivate var trouble: Instant { EngineFleet.start + .seconds(60) }
}

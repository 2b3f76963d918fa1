import AtlasModel
import Testing

@testable import AtlasAgentKit

/// What simulated servers do, one planted failure after the other.
@Suite struct SimulatedServerTests {
  @Test func `a healthy server goes through snapshot, update, boot and health`() {
    var bench = SimulationBench(seed: 3)
    #expect(bench.order(.snapshot)?.snapshot?.id == "snap-patch/SQL01/1")
    #expect(bench.order(.update)?.rebootRequired == true)
    #expect(bench.order(.reboot)?.status == .succeeded)
    let health = bench.order(.health)
    #expect(health?.health?.healthy == true)
    #expect(health?.counts[.failed] == nil && health?.counts[.reverted] == nil)
    #expect(bench.order(.removeSnapshot)?.status == .succeeded)
    #expect(
      bench.diary == [
        "began SNAPSHOT", "ended SNAPSHOT succeeded", "began UPDATE", "ended UPDATE succeeded",
        "began REBOOT", "down", "agent down", "up", "agent up", "resumed REBOOT orderedBoot",
        "ended REBOOT succeeded", "began HEALTH", "ended HEALTH succeeded",
        "began REMOVE_SNAPSHOT", "ended REMOVE_SNAPSHOT succeeded",
      ])
  }

  @Test func `a set that takes three passes asks for three boots`() {
    var bench = SimulationBench(.threeReboots)
    var boots = 0
    for pass in 1...4 {
      let update = bench.order(.update, pass: pass)
      guard update?.rebootRequired == true else { break }
      boots += 1
      if bench.order(.reboot, pass: pass)?.moreUpdates == false { break }
    }
    #expect(boots == 3)
    #expect(bench.order(.health)?.counts[.failed] == nil)
  }

  @Test(arguments: [
    (
      FailureKind.sourceUnreachable, CommandResult.Status.environment, "0x8024402C", false, false
    ),
    (.diskFull, .refused, "E_DISK_FULL", false, false),
    (.installFailsPermanently, .failed, "0x80073712", true, false),
    (.installFailsRetryable, .failed, "0x80240016", true, true),
    (.unexpectedBoot, .failed, "E_INTERRUPTED", true, true),
  ])
  func `an update that does not succeed says how`(
    failure: FailureKind, status: CommandResult.Status, code: String, changed: Bool, retryable: Bool
  ) {
    var bench = SimulationBench(failure)
    let result = bench.order(.update)
    #expect(result?.status == status)
    #expect(result?.code == code)
    #expect(result?.changed == changed)
    if status == .failed { #expect(result?.retryable == retryable) }
  }

  @Test(arguments: [FailureKind.installFailsRetryable, .unexpectedBoot])
  func `the second attempt of a retryable failure succeeds`(failure: FailureKind) {
    var bench = SimulationBench(failure)
    bench.order(.update)
    #expect(bench.order(.update, attempt: 2)?.status == .succeeded)
  }

  @Test func `an optional update fails alone, a required one does not`() {
    var bench = SimulationBench(.optionalUpdateFails)
    #expect(bench.order(.update)?.status == .succeeded)
    bench.order(.reboot)
    #expect(bench.order(.health)?.counts[.failed] == 1)

    let required = bench.simulated.temper.plan(UpdateSet()).map { UpdateID(trusted: $0.id) }
    var strict = SimulationBench(.optionalUpdateFails)
    strict.order(.update, set: UpdateSet(required: required))
    #expect(strict.order(.health, set: UpdateSet(required: required))?.counts[.failed] == nil)
  }

  @Test func `an update that a boot undoes is reverted, and everything else stays`() {
    var bench = SimulationBench(.updateRevertedAtBoot)
    bench.order(.update)
    bench.order(.reboot)
    let health = bench.order(.health)
    #expect(health?.counts[.reverted] == 1)
    #expect(health?.health?.healthy == true)
  }

  @Test func `a lie about success comes to light at the health check`() {
    var bench = SimulationBench(.lies)
    let update = bench.order(.update)
    #expect(update?.status == .succeeded)
    #expect((update?.counts[.installed] ?? 0) > 0)
    let health = bench.order(.health)
    #expect(health?.counts[.installed] == nil)
    #expect((health?.counts[.reverted] ?? 0) > 0)
  }

  @Test func `an unhealthy server is healthy again after a rollback to its snapshot`() {
    var bench = SimulationBench(.unhealthyAfterUpdate)
    bench.order(.snapshot)
    bench.order(.update)
    bench.order(.reboot)
    #expect(bench.order(.health)?.health?.healthy == false)
    #expect(bench.order(.rollback)?.status == .succeeded)
    let health = bench.order(.health, afterRollback: true)
    #expect(health?.health?.healthy == true)
    #expect(bench.simulated.disk.installed == [])
    #expect(bench.diary.contains("resumed ROLLBACK unexpectedBoot"))
  }

  @Test(arguments: [
    (FailureKind.rollbackRefused, CommandResult.Status.refused),
    (.rollbackFails, .failed),
  ])
  func `a rollback that does not work leaves the server as it is`(
    failure: FailureKind, status: CommandResult.Status
  ) {
    var bench = SimulationBench(failure)
    bench.order(.snapshot)
    bench.order(.update)
    #expect(bench.order(.rollback)?.status == status)
    #expect(bench.order(.health, afterRollback: true)?.health?.healthy == false)
  }

  @Test func `a crash of the agent does not disturb the installer`() {
    var bench = SimulationBench(.agentCrashes)
    #expect(bench.order(.update)?.status == .succeeded)
    #expect(
      bench.diary == [
        "began UPDATE", "agent down", "agent up", "resumed UPDATE agentRestarted",
        "ended UPDATE succeeded",
      ])
  }

  @Test func `a server whose line breaks goes on and tells its result when it is back`() {
    var bench = SimulationBench(.vanishes)
    #expect(bench.order(.update)?.status == .succeeded)
    #expect(bench.diary.contains("network down"))
  }

  @Test(arguments: [FailureKind.hangsForever, .vanishesForGood])
  func `some results never come`(failure: FailureKind) {
    var bench = SimulationBench(failure)
    #expect(bench.order(.update) == nil)
    #expect(bench.simulated.isConnected == (failure == .hangsForever))
  }

  @Test func `a hanging installer ends hours later`() {
    var bench = SimulationBench(.hangs)
    let start = bench.now
    #expect(bench.order(.update)?.status == .succeeded)
    #expect(bench.now - start > .seconds(3 * 3_600))
  }

  @Test func `a boot that was pending comes before anything is changed`() {
    var bench = SimulationBench(.pendingReboot)
    let first = bench.order(.update)
    #expect(first?.rebootRequired == true)
    #expect(first?.changed == false)
    bench.order(.reboot, pass: 0)
    #expect(bench.order(.update)?.changed == true)
  }

  @Test func `a server for which the set holds nothing is not changed`() {
    var bench = SimulationBench(.noUpdates)
    let result = bench.order(.update)
    #expect(result?.changed == false)
    #expect(result?.rebootRequired == false)
    #expect(result?.updates.count == result?.counts[.notApplicable])
  }

  @Test func `a snapshot fails before anything is changed`() {
    var bench = SimulationBench(.snapshotFails)
    #expect(bench.order(.snapshot)?.status == .failed)
    #expect(bench.simulated.disk.snapshot == nil)
    #expect(bench.simulated.disk.installed == [])
  }

  @Test func `the same seed gives the same night, another seed another`() {
    func night(_ seed: UInt64) -> [CommandResult] {
      var bench = SimulationBench(seed: seed)
      bench.order(.snapshot)
      bench.order(.update)
      bench.order(.reboot)
      bench.order(.health)
      return bench.results
    }
    #expect(night(5) == night(5))
    #expect(night(5) != night(6))
  }

  @Test func `a restart of the simulator goes on with what the server was doing`() {
    var bench = SimulationBench()
    bench.order(.update)
    let expected = bench.results
    bench.restart()
    #expect(bench.order(.health)?.counts[.installed] == expected.last?.counts[.installed])
  }

  @Test func `an update set names what is installed, and nothing else is`() {
    var bench = SimulationBench(seed: 9)
    let wanted = (1...10).map { UpdateID(trusted: "KB60\($0)") }
    let set = UpdateSet(include: wanted, exclude: [wanted[3]])
    let seen = Set(bench.order(.update, set: set)?.updates.map(\.update) ?? [])
    #expect(seen.isSubset(of: wanted) && !seen.isEmpty)
    #expect(!seen.contains(wanted[3]))
  }

  @Test func `nothing published after the cut-off is installed`() {
    var bench = SimulationBench()
    let result = bench.order(.update, set: UpdateSet(cutOff: Instant(milliseconds: 0)))
    #expect(result?.updates == [])
  }
}

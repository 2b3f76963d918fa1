import AtlasAgent
import AtlasModel

/// What a simulated server says about itself when it is asked, and changes nothing.
extension SimulatedServer {
  func facts(about probe: Probe) -> ServerFacts {
    let lacking = temper.plan(probe.updateSet).filter { update in
      update.pass != nil && !disk.installed.contains(update.id)
    }
    let needed = Int64(lacking.count) * 400 * 1_048_576
    return ServerFacts(
      freeDisk: failure == .diskFull ? needed / 8 : needed * 4 + 20 * 1_073_741_824,
      neededDisk: needed, rebootPending: disk.rebootPending, source: "updates.example",
      sourceProblem: failure == .sourceUnreachable ? "0x8024402C: it does not answer" : "",
      isServicing: work?.command.kind == .update, missingUpdates: lacking.count)
  }
}

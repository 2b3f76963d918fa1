import AtlasModel

// What a command takes, step by step.

extension SimulatedServer {
  func script(for command: Command) -> [Step] {
    let whole = temper.duration(of: command)
    switch command.kind {
    case .download: return download(whole)
    case .snapshot: return [.wait(whole), .end(snapshotEnding)]
    case .update: return update(command, whole)
    case .reboot: return reboot(whole)
    case .health, .removeSnapshot: return [.wait(whole), .end(.asItIs)]
    case .rollback: return rollback(command, whole)
    }
  }

  private func download(_ whole: Duration) -> [Step] {
    if failure == .sourceUnreachable {
      return [.wait(whole / 10), .end(.environment(code: Self.sourceUnreachable))]
    }
    return [.wait(whole / 2), .progress(50), .wait(whole / 2), .end(.asItIs)]
  }

  private var snapshotEnding: Ending {
    failure == .snapshotFails ? .failed(code: "0x80042306", retryable: false) : .asItIs
  }

  /// A scan, then the installation in quarters; trouble comes in its middle.
  private func update(_ command: Command, _ whole: Duration) -> [Step] {
    let scan = whole / 8
    switch failure {
    case .sourceUnreachable:
      return [.wait(scan), .end(.environment(code: Self.sourceUnreachable))]
    case .diskFull:
      let message = "the system disk has no room for the updates"
      return [.wait(scan), .end(.refused(code: "E_DISK_FULL", message: message))]
    case _:
      break
    }
    guard !disk.rebootPending, !missing(command.updateSet).isEmpty else {
      return [.wait(scan), .end(.asItIs)]
    }
    let quarter = (whole - scan) / 4
    return [
      .wait(scan), .askToChange, .wait(quarter), .progress(25), .wait(quarter), .progress(50),
    ]
      + trouble(command, quarter)
  }

  /// From the middle of an installation to its end.
  private func trouble(_ command: Command, _ quarter: Duration) -> [Step] {
    let rest: [Step] = [.wait(quarter), .progress(75), .wait(quarter), .end(.asItIs)]
    var random = temper.random("trouble", "\(command.attempt)", "\(command.pass)")
    guard command.pass <= 1 else { return rest }
    switch failure {
    case .installFailsRetryable where disk.failures == 0:
      return [.wait(quarter), .end(.failed(code: "0x80240016", retryable: true))]
    case .installFailsPermanently:
      return [.wait(quarter), .end(.failed(code: "0x80073712", retryable: false))]
    case .hangs:
      return [.wait(.seconds(Int.random(in: 3...5, using: &random) * 3_600))] + rest
    case .hangsForever:
      return []
    case .unexpectedBoot where disk.failures == 0:
      return [.boot(.seconds(Int.random(in: 4...8, using: &random) * 60)), .end(.interrupted)]
    case .agentCrashes:
      return [.crash(.seconds(Int.random(in: 20...120, using: &random)))] + rest
    case .vanishes:
      return [.loseNetwork(.seconds(Int.random(in: 20...90, using: &random) * 60))] + rest
    case .vanishesForGood:
      return [.loseNetwork(nil)] + rest
    case _:
      return rest
    }
  }

  /// Down, up, and servicing goes on for a while after the boot.
  private func reboot(_ whole: Duration) -> [Step] {
    let down =
      failure == .rebootHangs && disk.failures == 0 ? Duration.seconds(3 * 3_600) : whole / 2
    return [.wait(whole / 8), .boot(down), .wait(whole * 3 / 8), .end(.asItIs)]
  }

  private func rollback(_ command: Command, _ whole: Duration) -> [Step] {
    switch failure {
    case .rollbackRefused:
      let message = "this server must not be put back to a snapshot"
      return [.wait(whole / 10), .end(.refused(code: "E_NOT_ALLOWED", message: message))]
    case .rollbackFails:
      return [.wait(whole / 2), .end(.failed(code: "0x80042308", retryable: false))]
    case _:
      let third = whole / 3
      return command.rollbackMeans == .snapshot
        ? [.wait(third), .askToChange, .boot(third), .wait(third), .end(.asItIs)]
        : [.wait(third), .askToChange, .wait(third), .progress(50), .wait(third), .end(.asItIs)]
    }
  }

  static let sourceUnreachable = "0x8024402C"
}

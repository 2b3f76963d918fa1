import AtlasEngine
import AtlasModel

/// How long servers of a kind took, as a row; and the clock of a run, as part of its row.
extension ByteWriter {
  mutating func put(_ history: KindHistory) {
    put(history.kind.role) { $0.put($1) }
    put(history.kind.system)
    put(history.phases) { writer, phase in
      writer.put(phase.stored) {
        $0.put($1.bucket)
        $0.put($1.count)
      }
    }
    put(history.estimate) { $0.put($1) }
    put(UInt64(history.changes))
  }

  mutating func put(_ clock: PhaseClock) {
    put(clock.phase) { $0.put($1) }
    put(clock.since) { $0.put($1) }
    for place in PhaseClock.measured.indices { put(Int(clock.totals[place])) }
    put(UInt64(clock.ended))
    put(UInt64(clock.unknown))
    put(clock.estimate)
    put(clock.isFromHistory)
    put(clock.isLate)
  }
}

extension ByteReader {
  mutating func history() throws -> KindHistory {
    let kind = ServerKind(role: try optional { try $0.name() }, system: try string())
    let phases = try array { try $0.histogram() }
    guard phases.count == PhaseClock.measured.count else { throw bad("a phase is missing") }
    return KindHistory(
      kind: kind, phases: phases, estimate: try optional { try $0.duration() },
      changes: UInt32(truncatingIfNeeded: try unsigned()))
  }

  private mutating func histogram() throws -> DurationHistogram {
    let stored = try array { (bucket: try $0.int(), count: try $0.int()) }
    guard let histogram = DurationHistogram(stored: stored) else {
      throw bad("there is no such count of times")
    }
    return histogram
  }

  mutating func clock() throws -> PhaseClock {
    var clock = PhaseClock()
    clock.phase = try optional { try $0.value() }
    clock.since = try optional { try $0.instant() }
    for place in PhaseClock.measured.indices {
      clock.totals[place] = Int32(clamping: try int())
    }
    clock.ended = UInt8(truncatingIfNeeded: try unsigned())
    clock.unknown = UInt8(truncatingIfNeeded: try unsigned())
    clock.estimate = try duration()
    clock.isFromHistory = try bool()
    clock.isLate = try bool()
    return clock
  }
}

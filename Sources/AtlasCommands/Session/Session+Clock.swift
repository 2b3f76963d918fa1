import AtlasWire

extension Session {
  /// How to show times of an answer that brought its clock along.
  func times(_ clock: AtlasV1.Clock?) -> TimeText {
    TimeText(
      style: options.time,
      now: clock?.campaignTime?.millisecondsSinceEpoch ?? console.pacer.wallClock(),
      local: console.localTime)
  }

  /// Says that this is a rehearsal, where what is shown does not say so itself.
  func tellRehearsal(_ clock: AtlasV1.Clock?) {
    guard options.output.isText, let clock, clock.factor > 1 else { return }
    console.tell(clock.line(times(clock), console.glyphs))
  }

  /// How to show times of an answer without a clock: asks for campaign time, if a person will read
  /// times that are relative to it. A daemon that does not tell leaves only civil times.
  func times() async throws -> TimeText {
    guard options.output.isText, options.time == .relative else { return times(nil) }
    do {
      let response = try await read(daemon.metrics.getMetrics, AtlasV1.GetMetricsRequest())
      if let clock = response.metrics?.clock {
        tellRehearsal(clock)
        return times(clock)
      }
    } catch is Failure {}
    return TimeText(style: .iso, now: 0, local: console.localTime)
  }
}

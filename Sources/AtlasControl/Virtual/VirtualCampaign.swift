import AtlasEngine
import AtlasModel
import HeapModule

/// Works one campaign through on the real engine, in virtual time: every run that the engine
/// starts ends after a given time in a given way, and nothing else takes any time.
struct VirtualCampaign {
  private(set) var state: ControlState
  private(set) var now: Instant
  private let id: CampaignID
  private var ends = Heap<End>()
  private var nextNumber: UInt64 = 0
  /// Servers of the campaign that hold their slots, in all and by lane, and the most there were.
  private var inUse = 0
  private var inUseByLane: [Int32]
  private(set) var mostInUse = 0
  private(set) var mostInUseOfLane = 0
  /// How long a run holds its slot this time, and how it ends.
  private let course: (RunRef, ControlState) -> (Duration, ControlState.VirtualEnd)
  /// What people do meanwhile, in order of time.
  private let interventions: [Intervention]
  private var nextIntervention = 0

  private struct End: Comparable {
    let at: Instant
    let number: UInt64
    let run: RunRef
    let outcome: ControlState.VirtualEnd

    static func == (left: End, right: End) -> Bool { left.number == right.number }
    static func < (left: End, right: End) -> Bool {
      left.at != right.at ? left.at < right.at : left.number < right.number
    }
  }

  init(
    _ state: consuming ControlState, _ id: CampaignID, at now: Instant,
    interventions: [Intervention] = [],
    course: @escaping (RunRef, ControlState) -> (Duration, ControlState.VirtualEnd)
  ) {
    inUseByLane = [Int32](repeating: 0, count: state[campaign: id].lanes.count)
    self.state = state
    self.id = id
    self.now = now
    self.interventions = interventions
    self.course = course
  }

  /// Starts the campaign if it is a draft, then lets time pass until nothing more can happen.
  mutating func work() throws(Refusal) {
    if state[campaign: id].state == .draft {
      while let intervention = dueIntervention { intervene(intervention) }
      schedule(
        try state.step(
          .startCampaign(id, ifMatch: nil, hookRevision: "", by: "plan"), now: now))
    } else {
      scheduleRunning()
      schedule(try state.step(.timePassed, now: now))
    }
    while !state[campaign: id].state.isTerminal, let next = nextInstant {
      now = max(now, next)
      if let end = ends.min, end.at <= now {
        ends.removeMin()
        let effects = state.conclude(end.run, end.outcome, now: now)
        giveBack(end.run)
        schedule(effects)
      } else if let intervention = dueIntervention {
        intervene(intervention)
      } else {
        schedule(try state.step(.timePassed, now: now))
      }
    }
  }

  /// What was in progress when the replay took over.
  private mutating func scheduleRunning() {
    for index in state[campaign: id].runs.indices {
      let ref = RunRef(campaign: id, index: index)
      if case .inProgress = state[ref].state {
        schedule(ref)
      } else if state[ref].state.kind.holdsSlot {
        occupy(ref)
      }
    }
  }

  private var nextInstant: Instant? {
    let person =
      nextIntervention < interventions.count ? interventions[nextIntervention].at : nil
    return [ends.min?.at, state.nextDeadline, person].compactMap { $0 }.min()
  }

  /// What the engine refuses had no effect here any more: the replay is a little ahead of what was.
  private mutating func intervene(_ intervention: Intervention) {
    nextIntervention += 1
    if case .skipRun(let ref, _, _) = intervention.event, !isFirstRun(ref) { return }
    schedule((try? state.step(intervention.event, now: now)) ?? [])
  }

  /// Runs that a person had made are not among those of the replay.
  private func isFirstRun(_ ref: RunRef) -> Bool {
    state[campaign: id].runs.indices.contains(Int(ref.index))
  }

  private var dueIntervention: Intervention? {
    guard nextIntervention < interventions.count, interventions[nextIntervention].at <= now
    else { return nil }
    return interventions[nextIntervention]
  }

  /// A run that was started shows by its first hook.
  private mutating func schedule(_ effects: [Effect]) {
    for effect in effects {
      if case .startHook(let start) = effect, start.point == .preUpdate { schedule(start.run) }
    }
  }

  private mutating func schedule(_ run: RunRef) {
    let (length, outcome) = course(run, state)
    state.occupy(run)
    occupy(run)
    nextNumber += 1
    ends.insert(End(at: now + length, number: nextNumber, run: run, outcome: outcome))
  }

  private mutating func occupy(_ run: RunRef) {
    let lane = Int(state[run].lane)
    inUse += 1
    inUseByLane[lane] += 1
    mostInUse = max(mostInUse, inUse)
    mostInUseOfLane = max(mostInUseOfLane, Int(inUseByLane[lane]))
  }

  /// One that is held keeps its slot.
  private mutating func giveBack(_ run: RunRef) {
    guard !state[run].state.kind.holdsSlot else { return }
    inUse -= 1
    inUseByLane[Int(state[run].lane)] -= 1
  }
}

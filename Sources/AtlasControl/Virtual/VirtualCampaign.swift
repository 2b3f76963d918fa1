import AtlasEngine
import AtlasModel
import HeapModule

/// Works one campaign through on the real engine, in virtual time: every run that the engine
/// starts ends after a given time in a given way, and nothing else takes any time.
///
/// Other campaigns that are running go on beside it: their servers take slots that its own wait
/// for.
struct VirtualCampaign {
  private(set) var state: ControlState
  private(set) var now: Instant
  private let id: CampaignID
  private var ends = Heap<End>()
  private var nextNumber: UInt64 = 0
  /// By number of the client: whether the campaign has a lane for it.
  private var isPlanned: [Bool]
  /// The most servers of the campaign that held their slots at once.
  private(set) var mostInUse = 0
  /// The same of one client of the campaign, in all campaigns.
  private(set) var mostInUseOfClient = 0
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
    isPlanned = [Bool](repeating: false, count: state.clients.count)
    for lane in state[campaign: id].lanes { isPlanned[Int(lane.client.index)] = true }
    self.state = state
    self.id = id
    self.now = now
    self.interventions = interventions
    self.course = course
  }

  /// Starts the campaign if it is a draft, then lets time pass until nothing more can happen.
  mutating func work() throws(Refusal) {
    scheduleRunning()
    if state[campaign: id].state == .draft {
      while let intervention = dueIntervention { intervene(intervention) }
      schedule(
        try state.step(
          .startCampaign(id, ifMatch: nil, hookRevision: "", by: "plan"), now: now))
    } else {
      schedule(try state.step(.timePassed, now: now))
    }
    while !state.hasComeToRest(id), let next = nextInstant {
      now = max(now, next)
      if let end = ends.min, end.at <= now {
        ends.removeMin()
        schedule(state.conclude(end.run, end.outcome, now: now))
      } else if let intervention = dueIntervention {
        intervene(intervention)
      } else {
        schedule(try state.step(.timePassed, now: now))
      }
    }
  }

  /// What was in progress, in any campaign, goes on from when it took its slot, and ends at once if
  /// that should be over. What is held or parked keeps its slot.
  private mutating func scheduleRunning() {
    for run in state.slotHolders {
      noteMost(run)
      let intervals = state[run].details.content.slotIntervals
      schedule(run, since: intervals.last?.start ?? now)
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

  /// A run that was started shows by its first hook, and a parked one that goes on by its record.
  private mutating func schedule(_ effects: [Effect]) {
    for effect in effects {
      if case .startHook(let start) = effect, start.point == .preUpdate {
        noteMost(start.run)
        schedule(start.run, since: now)
      } else if case .record(let record) = effect, record.from == .parked,
        record.to == .inProgress, let campaign = record.campaign, let run = record.run
      {
        schedule(RunRef(campaign: campaign, index: Int(run)), since: now)
      }
    }
  }

  private mutating func schedule(_ run: RunRef, since start: Instant) {
    guard case .inProgress = state[run].state else { return }
    let (length, outcome) = course(run, state)
    state.occupy(run)
    nextNumber += 1
    let end = max(now, start + length)
    ends.insert(End(at: end, number: nextNumber, run: run, outcome: outcome))
  }

  /// A run holds its slot: whether more do now than ever before.
  private mutating func noteMost(_ run: RunRef) {
    if run.campaign == id { mostInUse = max(mostInUse, state.slotsHeld(in: id)) }
    let client = state.clientOf(run)
    guard isPlanned[Int(client.index)] else { return }
    mostInUseOfClient = max(mostInUseOfClient, state.slotsHeld(by: client))
  }
}

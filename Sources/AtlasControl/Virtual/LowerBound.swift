import AtlasEngine
import AtlasModel

extension ControlSnapshot {
  /// When a campaign would have been where it is now if handing a slot from one server to the next
  /// had taken no time: the engine replays it in virtual time, and every run holds its slot for as
  /// long as it really did, under the same windows, gates and actions of people.
  /// - Parameter interventions: What people did while it ran, in order of time.
  /// - Returns: the real makespan and the bound, up to the last move of a run; nil for a campaign
  ///   that has not started anything, and for one whose own windows were edited while it ran: when
  ///   its clients could be worked on before is not known any more.
  package func makespan(
    _ id: CampaignID, interventions: [Intervention] = []
  ) -> (real: Duration, lowerBound: Duration)? {
    let campaign = state[campaign: id]
    guard let start = campaign.startedAt, let end = campaign.lastMove,
      campaign.earlier.allSatisfy({ $0.policy.windows == campaign.policy.windows })
    else { return nil }
    var visits = [Int](repeating: 0, count: campaign.runs.count)
    var pristine = state.pristine(id)
    // What fitted into a window then fits into it again, whatever has been learned since.
    pristine.giveEstimates(
      CampaignID(0),
      campaign.runs.map {
        let estimate = $0.details.content.clock.estimate
        return estimate > .zero ? estimate : nil
      })
    var virtual = VirtualCampaign(
      pristine, CampaignID(0), at: start,
      interventions: Intervention.merged(interventions, campaign.edits)
    ) { ref, _ in
      let index = Int(ref.index)
      defer { visits[index] += 1 }
      return campaign.course(of: campaign.runs[index], visit: visits[index], until: end)
    }
    guard (try? virtual.work()) != nil,
      let bound = virtual.state[campaign: CampaignID(0)].lastMove(before: end, in: campaign)
    else { return nil }
    return (end - start, bound - start)
  }
}

extension Campaign {
  /// What people changed about its policy while it ran, to be done again.
  fileprivate var edits: [Intervention] {
    earlier.indices.map { index in
      let isLast = index + 1 == earlier.count
      let edit = CampaignEdit(
        policy: isLast ? policy : earlier[index + 1].policy,
        overrides: isLast ? overrides : earlier[index + 1].overrides, changes: "")
      return Intervention(
        at: earlier[index].until, event: .editCampaign(CampaignID(0), edit, by: author))
    }
  }

  /// How long a run held its slot when it took it for the `visit`-th time, and how that ended.
  fileprivate func course(
    of run: Run, visit: Int, until end: Instant
  ) -> (Duration, ControlState.VirtualEnd) {
    let intervals = run.details.content.slotIntervals
    guard visit < intervals.count else { return (.zero, .terminal(run.ending)) }
    let interval = intervals[visit]
    guard visit == intervals.count - 1 else {
      return (interval.duration, .terminal(.givenBack))
    }
    if case .held(let hold) = run.state {
      return ((run.details.content.heldSince ?? end) - interval.start, .held(hold))
    }
    return (min(interval.end, end) - interval.start, .terminal(run.ending))
  }

  /// The last end of a first run; of the campaign as it stands, where one is still worked on. Runs
  /// that a person had made in place of others are not replayed, and do not count here either.
  fileprivate var lastMove: Instant? {
    let worked = runs.filter { $0.retryOf < 0 && $0.startedAt != nil }
    let ends = worked.map { $0.details.content.heldSince ?? $0.endedAt }
    return ends.contains(nil) ? lastMoveAt : ends.compactMap { $0 }.max()
  }

  /// The last end of a run that was really worked on.
  fileprivate func lastMove(before end: Instant, in real: Campaign) -> Instant? {
    zip(runs, real.runs.filter { $0.retryOf < 0 }).compactMap { replayed, original in
      guard original.startedAt != nil else { return nil }
      return replayed.details.content.heldSince ?? replayed.endedAt
    }.max()
  }
}

extension Run {
  /// The way in which a replay ends it.
  fileprivate var ending: Ending {
    switch state {
    case .completed(let completion): .completed(completion)
    case .failed(let failure): .failed(failure)
    case .notAttempted(let refused): .notAttempted(refused)
    case .skipped(let skip): .skipped(skip)
    case .pending, .inProgress, .parked, .held, .postponed: .notAttempted(.window)
    }
  }
}

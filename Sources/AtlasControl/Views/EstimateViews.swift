import AtlasEngine
import AtlasModel

/// What is known of servers of one kind: how long they took, and what is expected of the next.
package struct EstimateView: Hashable, Sendable {
  /// Nil: servers without any role.
  package var role: Role?
  /// May be empty, when the fleet does not say.
  package var system: String
  /// From slot taken to slot returned, as admission and plans use it, a soak aside; nil as long as
  /// one phase has fewer than ``Limits/estimateSamples``.
  package var estimate: Duration?
  /// What holds instead until then, by the policy that was asked about.
  package var policyEstimate: Duration
  /// In the order in which they come.
  package var phases: [PhaseEstimateView]
}

/// How long one phase took.
package struct PhaseEstimateView: Hashable, Sendable {
  package var phase: Phase
  /// Below ``Limits/estimateMemory``: when there are as many, all count half.
  package var samples: Int
  /// Never too short, and at most a sixteenth and a second too long; zero without samples.
  package var p50: Duration
  package var p95: Duration
}

extension ControlState {
  /// All kinds that have been measured, by name.
  /// - Parameter policy: Whose estimates are shown beside.
  func estimateViews(_ policy: Policy) -> [EstimateView] {
    histories.sorted { $0.kind < $1.kind }.map { history in
      EstimateView(
        role: history.kind.role, system: history.kind.system, estimate: history.estimate,
        policyEstimate: policyEstimate(of: history.kind, in: policy),
        phases: zip(PhaseClock.measured, history.phases).map { phase, times in
          PhaseEstimateView(
            phase: phase, samples: times.samples, p50: times.p50, p95: times.p95)
        })
    }
  }
}

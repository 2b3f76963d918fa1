#if canImport(AtlasModel)
  package import AtlasModel

  // Enums of the agent protocol. The wire's are open: a number that this version does not know is
  // refused where it would have to be acted upon.

  extension AtlasV1.CommandKind {
    package init(_ kind: CommandKind) {
      self =
        switch kind {
        case .download: .download
        case .snapshot: .snapshot
        case .update: .update
        case .reboot: .reboot
        case .health: .health
        case .rollback: .rollback
        case .removeSnapshot: .removeSnapshot
        }
    }
  }

  extension CommandKind {
    package init(_ wire: AtlasV1.CommandKind) throws(WireError) {
      switch wire {
      case .download: self = .download
      case .snapshot: self = .snapshot
      case .update: self = .update
      case .reboot: self = .reboot
      case .health: self = .health
      case .rollback: self = .rollback
      case .removeSnapshot: self = .removeSnapshot
      case .unspecified, .unrecognized: throw Check.unknown("kind", wire)
      }
    }
  }

  extension AtlasV1.CommandProgress {
    package init(_ progress: CommandProgress) {
      self =
        switch progress {
        case .accepted: .accepted
        case .begun: .begun
        case .done: .done
        }
    }
  }

  extension CommandProgress {
    package init(_ wire: AtlasV1.CommandProgress) throws(WireError) {
      switch wire {
      case .accepted: self = .accepted
      case .begun: self = .begun
      case .done: self = .done
      case .unspecified, .unrecognized: throw Check.unknown("progress", wire)
      }
    }
  }

  extension AtlasV1.CommandVerdict {
    package init(_ verdict: CommandAcknowledgement.Verdict) {
      self =
        switch verdict {
        case .accepted: .accepted
        case .stale: .stale
        case .refused: .refused
        }
    }
  }

  extension CommandAcknowledgement.Verdict {
    package init(_ wire: AtlasV1.CommandVerdict) throws(WireError) {
      switch wire {
      case .accepted: self = .accepted
      case .stale: self = .stale
      case .refused: self = .refused
      case .unspecified, .unrecognized: throw Check.unknown("verdict", wire)
      }
    }
  }

  extension AtlasV1.ResultStatus {
    package init(_ status: CommandResult.Status) {
      self =
        switch status {
        case .succeeded: .succeeded
        case .failed: .failed
        case .refused: .refused
        case .environment: .environment
        case .cancelled: .cancelled
        }
    }
  }

  extension CommandResult.Status {
    package init(_ wire: AtlasV1.ResultStatus) throws(WireError) {
      switch wire {
      case .succeeded: self = .succeeded
      case .failed: self = .failed
      case .refused: self = .refused
      case .environment: self = .environment
      case .cancelled: self = .cancelled
      case .unspecified, .unrecognized: throw Check.unknown("status", wire)
      }
    }
  }

  extension AtlasV1.UpdateOutcome {
    package init(_ outcome: UpdateOutcome) {
      self =
        switch outcome {
        case .installed: .installed
        case .failed: .failed
        case .notApplicable: .notApplicable
        case .reverted: .reverted
        }
    }
  }

  extension UpdateOutcome {
    package init(_ wire: AtlasV1.UpdateOutcome) throws(WireError) {
      switch wire {
      case .installed: self = .installed
      case .failed: self = .failed
      case .notApplicable: self = .notApplicable
      case .reverted: self = .reverted
      case .unspecified, .unrecognized: throw Check.unknown("outcome", wire)
      }
    }
  }

  extension AtlasV1.RollbackMeans {
    /// `hold` is a person's work: it is never sent, and has no place on the wire.
    package init(_ means: RollbackMeans) {
      self =
        switch means {
        case .snapshot: .snapshot
        case .uninstall: .uninstall
        case .hold: .unspecified
        }
    }
  }

  extension RollbackMeans {
    /// - Parameter kind: Only a rollback needs means; for another kind none is as good as any.
    package init(_ wire: AtlasV1.RollbackMeans, neededFor kind: CommandKind) throws(WireError) {
      switch wire {
      case .snapshot: self = .snapshot
      case .uninstall: self = .uninstall
      case .unspecified where kind != .rollback: self = .snapshot
      case .unspecified, .unrecognized: throw Check.unknown("rollback_means", wire)
      }
    }
  }
#endif

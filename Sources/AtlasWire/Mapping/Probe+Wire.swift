#if canImport(AtlasModel)
  package import AtlasModel

  // Probes: questions about a server, and what its agent found. Texts for people are cut and
  // cleaned; nothing depends on them.

  extension AtlasV1.Probe {
    package init(_ probe: Probe) {
      self.init(number: probe.number, updateSet: .init(probe.updateSet))
    }
  }

  extension Probe {
    /// - Throws: ``WireError`` naming the first field that is wrong.
    package init(_ wire: AtlasV1.Probe) throws(WireError) {
      self.init(
        number: wire.number,
        updateSet: try Check.optional("update_set", wire.updateSet) { set throws(WireError) in
          try UpdateSet(set)
        } ?? UpdateSet())
    }
  }

  extension AtlasV1.ProbeAnswer {
    package init(_ answer: ProbeAnswer) {
      self.init(number: answer.number, facts: .init(answer.facts))
    }
  }

  extension ProbeAnswer {
    /// - Throws: ``WireError`` when the facts are missing.
    package init(_ wire: AtlasV1.ProbeAnswer) throws(WireError) {
      guard let facts = wire.facts else { throw Check.missing("facts") }
      self.init(number: wire.number, facts: ServerFacts(facts))
    }
  }

  extension AtlasV1.ServerFacts {
    package init(_ facts: ServerFacts) {
      self.init(
        freeDisk: facts.freeDisk, neededDisk: facts.neededDisk,
        rebootPending: facts.rebootPending, source: facts.source,
        sourceProblem: facts.sourceProblem, otherUpdaters: facts.otherUpdaters,
        isServicing: facts.isServicing,
        missingUpdates: facts.missingUpdates.map { Int32(clamping: $0) },
        notes: facts.notes,
        refusals: facts.refusals.map {
          .init(kind: .init($0.kind), atSomeHours: $0.atSomeHours, reason: $0.reason)
        })
    }
  }

  extension ServerFacts {
    /// Negative sizes and counts are what nobody knows.
    package init(_ wire: AtlasV1.ServerFacts) {
      self.init(
        freeDisk: wire.freeDisk.flatMap { $0 < 0 ? nil : $0 },
        neededDisk: wire.neededDisk.flatMap { $0 < 0 ? nil : $0 },
        rebootPending: wire.rebootPending, source: wire.source.bounded(to: 256),
        sourceProblem: wire.sourceProblem.bounded(), otherUpdaters: Self.lines(wire.otherUpdaters),
        isServicing: wire.isServicing,
        missingUpdates: wire.missingUpdates.flatMap { $0 < 0 ? nil : Int($0) },
        refusals: Self.refusals(wire.refusals), notes: Self.lines(wire.notes))
    }

    /// Commands that this daemon does not know are none that it would send.
    private static func refusals(_ refusals: [AtlasV1.ExpectedRefusal]) -> [ExpectedRefusal] {
      refusals.prefix(AgentProtocolLimits.problems).compactMap { refusal in
        (try? CommandKind(refusal.kind)).map {
          ExpectedRefusal(
            kind: $0, atSomeHours: refusal.atSomeHours, reason: refusal.reason.bounded())
        }
      }
    }

    private static func lines(_ lines: [String]) -> [String] {
      lines.prefix(AgentProtocolLimits.problems).map { $0.bounded() }
    }
  }
#endif

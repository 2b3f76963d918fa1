import ArgumentParser
import AtlasWire

/// `atlas campaign plan`
struct CampaignPlan: DaemonVerb {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "What starting it now would do: the engine in virtual time.",
    discussion: """
      The etag of the plan changes when the fleet or the campaign does; start --if-match refuses \
      then.

        atlas campaign plan november
        atlas campaign plan november --details -o wide
        atlas campaign plan november --what-if max_parallel_servers=2,failure_rate=3%
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The campaign.") var name: String
  @Flag(help: "Also a line for each client.") var details = false
  @Option(
    help: ArgumentHelp(
      "Beside it, a plan in which this is otherwise; may be given again.", valueName: "settings"))
  var whatIf: [String] = []

  /// One list; the daemon refuses a key that is there twice.
  private var supposition: String { whatIf.joined(separator: ",") }

  func run(in session: Session) async throws {
    let response = try await session.plan(name, details: details, whatIf: supposition)
    guard let plan = response.plan else { throw Failure.empty("PlanCampaign") }
    // Everything in a plan is relative to its start.
    let times = session.times(AtlasV1.Clock(campaignTime: plan.start))
    let campaign = session.options.output.isText ? try await session.campaign(name) : nil
    session.tellRehearsal(campaign?.clock)
    try session.show(
      Presentation(.message(response), names: [plan.campaign]) { space in
        let supposed = response.supposed.map { plan.lines(beside: $0, supposition, times, space) }
        let undoes = !(campaign?.rollbackOf ?? "").isEmpty
        return plan.lines(times, space, undoes: undoes) + (supposed ?? [])
      })
    if campaign?.state == .draft {
      session.console.hint("atlas campaign start \(plan.campaign) --if-match \(plan.etag)")
    }
  }
}

extension Session {
  /// A plan; it may take longer than other calls.
  ///
  /// - Throws: ``Failure``.
  func plan(
    _ name: String, details: Bool, whatIf: String = ""
  ) async throws -> AtlasV1.PlanCampaignResponse {
    try await read(
      daemon.campaigns.planCampaign,
      AtlasV1.PlanCampaignRequest(campaign: name, details: details, whatIf: whatIf),
      timeout: options.timeout?.duration ?? CommandLimits.planTimeout)
  }
}

extension AtlasV1.Plan {
  /// How many reasons are listed unless everything is wanted.
  private static let listed = 10

  /// `1,000 servers at 100 clients, done in 7h30m; 3 not begun before it ends`.
  var summary: String {
    let time = makespan.map { ", done in \($0.shortText)" } ?? ""
    let missing = missed > 0 ? "; \(grouped(missed)) not begun before it ends" : ""
    let stuck = blockedServers > 0 ? "; \(grouped(blockedServers)) cannot start as things are" : ""
    return "\(counted(servers, "server")) at \(counted(clients, "client"))\(time)\(missing)\(stuck)"
  }

  /// - Parameter undoes: It is a rollback campaign: what updating takes is no measure for it.
  func lines(_ times: TimeText, _ space: TextSpace, undoes: Bool = false) -> [Line] {
    var facts = Description()
    facts.add("Campaign", campaign, .bold)
    facts.add("Servers", "\(grouped(servers)) at \(counted(clients, "client"))")
    facts.add("Start", times.absolute(start))
    facts.add("Finish", finish == nil ? "" : "\(times.absolute(finish))\(after(makespan))")
    facts.add("One by one", undoes ? "" : comparison)
    facts.add("Lower bound", lowerBound?.shortText ?? "")
    if missed > 0 {
      facts.add("Missed", "\(counted(missed, "server")) not begun before the end", .bad)
    }
    if blockedServers > 0 { facts.add("Blocked", counted(blockedServers, "server"), .bad) }
    facts.add("Etag", etag)
    return facts.lines + ringLines(times, space) + clientLines(times, space)
      + serverLines("Not begun before the campaign ends:", misses, of: missed, space)
      + serverLines("Nothing can start as things are now:", blocked, of: blockedServers, space)
      + serverLines(
        "Left as they are:", notUndoable, of: Int32(clamping: notUndoable.count), space)
  }

  /// This plan and the one that is supposed, side by side.
  func lines(
    beside supposed: Self, _ whatIf: String, _ times: TimeText, _ space: TextSpace
  ) -> [Line] {
    struct Fact {
      var name: String
      var planned: String
      var supposed: String
    }
    let facts: [(String, (Self) -> String)] = [
      ("Finish", { times.absolute($0.finish) }), ("Makespan", { $0.makespan?.shortText ?? "" }),
      ("Not begun", { grouped($0.missed) }), ("Failed", { grouped($0.failed) }),
      ("Held", { grouped($0.held) }), ("Down at once", { grouped($0.mostDown) }),
      ("Of one client", { grouped($0.mostDownOfClient) }),
    ]
    let rows = facts.map { Fact(name: $0.0, planned: $0.1(self), supposed: $0.1(supposed)) }
    let columns: [Column<Fact>] = [
      Column("") { $0.name }, Column("PLANNED", align: .right) { $0.planned },
      Column("SUPPOSED", align: .right) { $0.supposed },
    ]
    return [.empty, Line(Span("With \(whatIf):", .bold))]
      + space.lines(of: Table(rows, columns, wide: space.isWide))
  }

  private func after(_ makespan: GoogleProtobuf.Duration?) -> String {
    makespan.map { ", after \($0.shortText)" } ?? ""
  }

  /// The whole fleet one server after the other, and how many times longer that is. Nothing where it
  /// is not longer: one client, or a plan that mostly waits for windows, says nothing about ways.
  private var comparison: String {
    guard let sequential else { return "" }
    guard let makespan, makespan.seconds > 0 else { return sequential.shortText }
    let factor = Double(sequential.seconds) / Double(makespan.seconds)
    guard factor >= CommandLimits.worthwhileGain else { return "" }
    return "\(sequential.shortText), \(oneDecimal(factor)) times longer"
  }

  private func ringLines(_ times: TimeText, _ space: TextSpace) -> [Line] {
    if rings.isEmpty { return [] }
    let columns: [Column<AtlasV1.PlannedRing>] = [
      Column("RING", align: .right) { "\($0.ring)" },
      Column("NAME") { $0.name },
      Column("SERVERS") { $0.servers },
      Column("OPENS") { times.text($0.opens) },
      Column("COMPLETES") { times.text($0.completes) },
    ]
    return [.empty] + space.lines(of: Table(rings, columns, wide: space.isWide))
  }

  private func clientLines(_ times: TimeText, _ space: TextSpace) -> [Line] {
    if timeline.isEmpty { return [] }
    let columns: [Column<AtlasV1.PlannedClient>] = [
      Column("CLIENT") { $0.client },
      Column("RING", align: .right) { "\($0.ring)" },
      Column("SERVERS") { $0.servers },
      Column("FIRST START") { times.text($0.firstStart) },
      Column("LAST END") { times.text($0.lastEnd) },
    ]
    return [.empty] + space.lines(of: Table(timeline, columns, wide: space.isWide))
  }

  private func serverLines(
    _ title: String, _ servers: [AtlasV1.PlannedServer], of total: Int32, _ space: TextSpace
  ) -> [Line] {
    if servers.isEmpty { return [] }
    let shown = servers.prefix(space.isWide ? .max : Self.listed)
    var lines = [.empty, Line(Span(title, .bad))]
    lines += shown.map { Line("  \($0.server): \($0.reason)") }
    let more = max(Int(total), servers.count) - shown.count
    if more > 0 {
      let all = space.isWide ? "" : "; -o wide shows more"
      lines.append(Line(Span("  and \(grouped(more)) more\(all)", .dim)))
    }
    return lines
  }
}

/// `98.5`; `98` for a whole number.
func oneDecimal(_ number: Double) -> String {
  guard number.isFinite, abs(number) < 1e12 else { return "-" }
  let tenths = Int((number * 10).rounded())
  return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
}

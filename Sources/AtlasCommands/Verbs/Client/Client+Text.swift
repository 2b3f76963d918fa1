import AtlasWire

extension AtlasV1.ClientInfo {
  /// `stopped`, `paused`, `postponed`, `dark`, `unexplained`, `in an outage`, or nothing.
  var latchText: String {
    if stopped != nil { return "stopped" }
    if paused != nil { return "paused" }
    if postponed != nil { return "postponed" }
    if darkSince != nil { return "dark" }
    if !unexplained.isEmpty { return "unexplained" }
    return outageSlots == nil ? "" : "in an outage"
  }

  /// How many servers at once a declared outage allows, while more are in progress than otherwise.
  private var outageSlots: Int32? {
    guard slotsInUse > maxParallelServers, let slots = outage?.parallel else { return nil }
    return slots >= slotsInUse ? slots : nil
  }

  /// Servers whose agent is not connected.
  var agentsMissing: Int32 { max(0, servers - agentsConnected) }

  static func columns(_ times: TimeText) -> [Column<Self>] {
    [
      Column("NAME") { $0.name },
      Column("RING", align: .right) { "\($0.ring)" },
      Column("SERVERS") { $0.servers },
      Column(
        "AGENTS", align: .right,
        span: { Span("\($0.agentsConnected)", $0.agentsMissing > 0 ? .warn : .good) }),
      Column("SLOTS", align: .right) {
        "\($0.occupied)/\($0.outageSlots ?? $0.maxParallelServers)"
      },
      Column("STATE", span: { Span($0.latchText, $0.stopped == nil ? .warn : .bad) }),
      Column("PRIORITY", wide: false) { $0.priority },
      Column("ZONE") { $0.zone },
      Column("WINDOWS", gives: true) { $0.windows.joined(separator: "; ") },
      Column("BACKUP", wide: true) { client in
        client.requireBackup ? client.backupsThatCount : "no"
      },
      Column("SNAPSHOTS", wide: true) { $0.createSnapshots ? "yes" : "no" },
      Column("SINCE", wide: true) { times.text(($0.stopped ?? $0.paused)?.since) },
      Column("CONTACTS", wide: true) { $0.contacts.map(\.email).joined(separator: ", ") },
      Column("ETAG", wide: true) { $0.etag },
    ]
  }

  func lines(_ times: TimeText) -> [Line] {
    var facts = Description()
    facts.add("Name", name, .bold)
    facts.add("Ring", "\(ring)")
    facts.add("Stopped", stopped?.text(times) ?? "", .bad)
    facts.add("Paused", paused?.text(times) ?? "", .warn)
    facts.add("Postponed", postponed?.text(times) ?? "", .warn)
    facts.add("Dark", darkSince == nil ? "" : "no agent since \(times.text(darkSince))", .bad)
    facts.add("Servers", "\(grouped(servers)), \(grouped(agentsConnected)) agents connected")
    facts.add("Slots", slotsText)
    for server in unexplained {
      facts.add("Unexplained", "\(server): atlas server dismiss, when it is no matter", .bad)
    }
    facts.add("Outage", outage?.text(times) ?? "", .warn)
    facts.add("Zone", zone)
    for window in windows { facts.add("Window", window) }
    for freeze in freezes { facts.add("Freeze", freeze.text(times), .warn) }
    facts.add("Backup", requireBackup ? "required\(age)" : "not required")
    facts.add("Snapshots", createSnapshots ? "yes" : "no")
    facts.add("Change", requireChangeReference ? "a reference is required" : "")
    facts.add("Priority", "\(priority)")
    for contact in contacts {
      facts.add(
        "Contact", contact.email + (contact.language.isEmpty ? "" : " (\(contact.language))"))
    }
    facts.add("Etag", etag)
    return facts.lines
  }

  /// `1 of 1 in use`, and what else takes slots; where more are in use than usual, why.
  private var slotsText: String {
    let others = occupied - slotsInUse
    let rest = others <= 0 ? "" : ", \(others) taken by guests or by servers that are down"
    if let outageSlots {
      return "\(slotsInUse) of \(outageSlots) in use in the declared outage, otherwise "
        + "\(maxParallelServers)\(rest)"
    }
    let late =
      slotsInUse <= maxParallelServers ? "" : ", begun when more were allowed: nothing else starts"
    return "\(slotsInUse) of \(maxParallelServers) in use\(late)\(rest)"
  }

  private var age: String {
    (maxBackupAge.map { ", at most \($0.shortText) old" } ?? "")
      + (sinceLastJob ? ", of the newest backup job" : "")
  }

  /// `within 24h`, `of the newest job`, or both.
  private var backupsThatCount: String {
    let age = maxBackupAge.map { "within \($0.shortText)" }
    return [age, sinceLastJob ? "of the newest job" : nil].compactMap { $0 }
      .joined(separator: ", ")
  }
}

extension AtlasV1.Latch {
  /// `3h ago by anna: month end, until …`.
  func text(_ times: TimeText) -> String {
    var text = times.text(since)
    if !principal.isEmpty { text += " by \(principal)" }
    if until != nil { text += ", until \(times.absolute(until))" }
    if !ticket.isEmpty { text += ", \(ticket)" }
    return reason.isEmpty ? text : "\(text): \(reason)"
  }
}

extension AtlasV1.Freeze {
  fileprivate func text(_ times: TimeText) -> String {
    let span = "\(times.absolute(interval?.start)) to \(times.absolute(interval?.end))"
    return reason.isEmpty ? span : "\(span): \(reason)"
  }
}

extension AtlasV1.Interval {
  var length: Duration? {
    guard let start, let end else { return nil }
    let (length, overflow) = end.millisecondsSinceEpoch
      .subtractingReportingOverflow(start.millisecondsSinceEpoch)
    return overflow ? nil : .milliseconds(length)
  }
}

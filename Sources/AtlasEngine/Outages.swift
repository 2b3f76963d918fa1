import AtlasModel

/// A stretch of time in which a client has agreed to be without service.
///
/// While it lasts, servers that are down or unexplained do not count (S12). Atlas's own use stays
/// within the client's slots unless the outage says how many servers may be worked on at once (S1):
/// that a client expects to be without service says nothing about how many of its servers are to
/// be changed at the same time.
package struct Outage: Hashable, Sendable {
  package var from: Instant
  package var until: Instant
  /// Servers that may be in progress at once meanwhile, 1 to ``Limits/slotsPerClient``, in place of
  /// the client's own number; nil keeps that.
  package var parallel: Int?
  package var reason: String
  package var principal: String
  package var declaredAt: Instant

  package init(
    from: Instant, until: Instant, parallel: Int? = nil, reason: String, principal: String,
    declaredAt: Instant
  ) {
    self.from = from
    self.until = until
    self.parallel = parallel
    self.reason = reason
    self.principal = principal
    self.declaredAt = declaredAt
  }

  package func contains(_ instant: Instant) -> Bool { from <= instant && instant < until }

  /// When, and how many at once, for programs: `1795298400000/1795305600000/3`, times in
  /// milliseconds since 1970; the last is 0 where the client's own number holds.
  package var detail: String {
    "\(from.milliseconds)/\(until.milliseconds)/\(parallel ?? 0)"
  }

  /// Reads ``detail`` back; nil when it is something else.
  package init?(detail: String, reason: String, principal: String, declaredAt: Instant) {
    let numbers = detail.split(separator: "/").compactMap { Int64($0) }
    guard numbers.count == 3 else { return nil }
    self.init(
      from: Instant(milliseconds: numbers[0]), until: Instant(milliseconds: numbers[1]),
      parallel: numbers[2] == 0 ? nil : Int(numbers[2]), reason: reason, principal: principal,
      declaredAt: declaredAt)
  }
}

extension ControlState {
  /// Whether the client is in a declared outage.
  func isOutage(of client: ClientID, now: Instant) -> Bool {
    clients[Int(client.index)].hasOutage
      && clients[Int(client.index)].outage?.contains(now) ?? false
  }

  /// Declares an outage, in place of the one before.
  mutating func declareOutage(_ id: ClientID, _ outage: Outage, now: Instant) throws(Refusal) {
    try check(outage, now: now)
    var outage = outage
    outage.reason = outage.reason.bounded()
    clients[id].outage = outage
    armOutage(id, now: now)
    let parallel = outage.parallel.map { ", \($0) at once" } ?? ""
    recordOutage(
      .clientOutageDeclared, id,
      "from \(outage.from.words) until \(outage.until.words)\(parallel): \(outage.reason)"
        .bounded(), by: outage.principal, detail: outage.detail)
  }

  private func check(_ outage: Outage, now: Instant) throws(Refusal) {
    guard !outage.reason.isEmpty else {
      throw .invalid(field: "reason", message: "say what was agreed, and with whom")
    }
    guard outage.until > now, outage.until > outage.from else {
      throw .invalid(
        field: "until",
        message: "\(outage.until.words) is not after "
          + "\(max(outage.from, now).words); give a later end")
    }
    guard outage.until - max(outage.from, now) <= Limits.outage else {
      throw .invalid(
        field: "until",
        message: "the outage would last longer than \(Limits.outage.text); declare a shorter one")
    }
    guard outage.from <= now + Limits.windowHorizon else {
      throw .invalid(
        field: "from",
        message: "\(outage.from.words) is further ahead than \(Limits.windowHorizon.text); "
          + "declare it later")
    }
    guard outage.parallel.map({ (1...Limits.slotsPerClient).contains($0) }) ?? true else {
      throw .invalid(
        field: "parallel", message: "give a number from 1 to \(Limits.slotsPerClient)")
    }
  }

  mutating func endOutage(_ id: ClientID, by: String) throws(Refusal) {
    guard clients[id].outage != nil else {
      throw .notAllowed(
        code: .notPaused, message: "no outage of the client is declared",
        hint: "there is nothing to end")
    }
    clients[id].outage = nil
    recordOutage(.clientOutageEnded, id, "", by: by)
  }

  private mutating func recordOutage(
    _ kind: RecordKind, _ id: ClientID, _ reason: String, by: String, detail: String = ""
  ) {
    clients[id].version += 1
    record(Record(kind, client: id, detail: detail, reason: reason, principal: by))
    emit(.save(.client(id)))
    markDirty(id)
  }

  /// Looks at the client again when its outage begins, and when it ends.
  mutating func armOutage(_ id: ClientID, now: Instant) {
    guard let outage = clients[id].outage else { return }
    if outage.from > now { timers.add(.outage(id), at: outage.from) }
    timers.add(.outage(id), at: outage.until)
  }

  mutating func outageFires(_ id: ClientID, now: Instant) {
    guard let outage = clients[id].outage else { return }
    guard outage.until <= now else { return markDirty(id) }
    clients[id].outage = nil
    recordOutage(.clientOutageEnded, id, "its time is over", by: "")
  }

  /// What a start in an outage says of it, that of its guests' client included; empty outside one.
  func outageEvidence(_ ref: RunRef, now: Instant) -> String {
    let concerned = [clientOf(ref)] + clientsOfGuests(of: self[ref].server)
    guard let client = concerned.first(where: { isOutage(of: $0, now: now) }),
      let outage = clients[client].outage
    else { return "" }
    return "in the outage that \(outage.principal) declared: \(outage.reason)".bounded()
  }
}

/// What people configured, and from which moment on it counts.
extension Checker {
  struct ClientModel {
    var current: ClientFact
    /// What it was, and until when its windows may be in use: the daemon works new ones out, and
    /// goes by the old ones until they are there.
    var earlier: [(fact: ClientFact, until: Int64)] = []
    /// Changes that are durable with the batch whose records come next, oldest first.
    var coming: [ClientFact] = []
  }

  /// A person has configured a client. A change counts from its record on.
  package mutating func configured(_ client: ClientFact) {
    guard let known = clients[client.name] else {
      clients[client.name] = ClientModel(current: client)
      return
    }
    if known.coming.last ?? known.current != client { clients[client.name]?.coming.append(client) }
  }

  /// The database is another one, and says this about a client.
  package mutating func configuredAnew(_ client: ClientFact) {
    clients[client.name] = ClientModel(current: client)
  }

  /// How long new windows may take to be worked out: they may wait behind two commits.
  private var windowSlack: Int64 { 100_000 }

  /// The next change of a client counts.
  mutating func applyChange(of client: String, at instant: Int64) {
    guard var model = clients[client], !model.coming.isEmpty else { return }
    model.earlier.removeAll { $0.until < instant }
    let new = model.coming.removeFirst()
    if new.windows != model.current.windows || new.zone != model.current.zone
      || new.freezes != model.current.freezes
    {
      model.earlier.append((model.current, instant + windowSlack))
    }
    model.current = new
    clients[client] = model
  }

  /// All changes of the batch count, also those without a record.
  mutating func applyChanges(at instant: Int64) {
    for (name, model) in clients where !model.coming.isEmpty {
      for _ in model.coming { applyChange(of: name, at: instant) }
    }
  }

  /// The client as it is, and as it was as long as its windows of before may be in use.
  func windows(of client: String, at instant: Int64) -> [ClientFact] {
    guard let model = clients[client] else { return [] }
    return [model.current] + model.earlier.filter { instant <= $0.until }.map(\.fact)
  }

  /// What the batch of a record has brought counts from the record on that tells of it.
  mutating func noteConfiguration(_ record: RecordFact) {
    switch record.kind {
    case "client.imported": applyChange(of: record.client, at: record.at)
    case "campaign.resumed":
      if resumingAtOnce.contains("\(record.campaign) \(LogModel.scope(record))") {
        log.resumedAtOnce.insert(record.seq)
      }
    case _: break
    }
  }

  /// People resume a part of a campaign (`campaign`, `ring 2`, `client LAA`), and what is parked
  /// before a boot does not wait for its window. It counts from the record on.
  package mutating func resumesAtOnce(_ campaign: String, scope: String) {
    resumingAtOnce.insert("\(campaign) \(scope)")
  }
}

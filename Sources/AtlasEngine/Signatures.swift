import AtlasModel

/// Servers of one kind that fail in the same way at several clients: no more of them are started in
/// the campaign, and everything else goes on.
extension ControlState {
  /// A run is given up, or waits for a person, because of what its update did to the server.
  mutating func noteSignature(_ ref: RunRef, _ message: String, now: Instant) {
    guard let most = campaigns[ref.campaign].policy.breakers.signatureClients, !isVirtual,
      campaigns[ref.campaign].state == .active, let phase = self[ref].state.phase
    else { return }
    let bad = self[ref].details.content.updates.first {
      $0.outcome == .failed || $0.outcome == .reverted
    }
    let cause = bad?.update.text ?? ErrorText.normalised(message)
    for kind in ServerKind.kinds(of: servers[self[ref].server].config) {
      let seen = campaigns[ref.campaign].safety.note(
        Signature(kind: kind, phase: phase, cause: cause, clients: [clientOf(ref)], lastAt: now))
      guard seen.clients.count >= most else { continue }
      hold(seen, update: bad?.update, in: ref.campaign, now: now)
    }
    emit(.save(.campaign(ref.campaign)))
  }

  private mutating func hold(
    _ signature: Signature, update: UpdateID?, in id: CampaignID, now: Instant
  ) {
    guard campaigns[id].safety.held.count < Limits.heldSignatures,
      !campaigns[id].safety.held.contains(where: signature.isSame)
    else { return }
    var reason =
      "\(signature.phase.word) fails with “\(signature.cause)” at \(signature.clients.count) "
      + "\(signature.clients.count == 1 ? "client" : "clients")"
    if let update { reason += "; \(update) may be excluded" }
    campaigns[id].safety.held.append(
      HeldSignature(
        kind: signature.kind, phase: signature.phase, cause: signature.cause, update: update,
        latch: Latch(reason: reason, principal: Self.itself, since: now)))
    record(
      Record(
        .signatureHeld, campaign: id, detail: signature.kind.description, reason: reason))
  }

  mutating func releaseSignature(
    _ id: CampaignID, _ kind: ServerKind, reason: String, by: String
  ) throws(Refusal) {
    try requireActive(id, to: "release servers of")
    guard campaigns[id].safety.held.contains(where: { $0.kind == kind }) else {
      let held = campaigns[id].safety.held.map(\.kind.description)
      throw .notAllowed(
        code: .notHeld, message: "\(kind) is not held in this campaign",
        hint: held.isEmpty ? "no kind of servers is" : "held: \(held.joined(separator: ", "))")
    }
    release(id, reason: reason, by: by) { $0.kind == kind }
  }

  /// What an update that is not installed any more had kept from going on.
  mutating func releaseSignatures(
    of update: UpdateID, _ id: CampaignID, by: String
  ) {
    release(id, reason: "\(update) is excluded", by: by) { $0.update == update }
  }

  /// Counting begins anew.
  private mutating func release(
    _ id: CampaignID, reason: String, by: String, _ isMeant: (HeldSignature) -> Bool
  ) {
    let released = campaigns[id].safety.held.filter(isMeant)
    guard !released.isEmpty else { return }
    campaigns[id].safety.held.removeAll(where: isMeant)
    campaigns[id].safety.signatures.removeAll { signature in
      released.contains { signature.isSame($0) }
    }
    for held in released {
      record(
        Record(
          .signatureReleased, campaign: id, detail: held.kind.description,
          reason: reason.bounded(), principal: by))
    }
    emit(.save(.campaign(id)))
    wakeLanes(of: id)
  }

  /// What holds the server of a run; nil when nothing does.
  package func heldSignature(_ ref: RunRef) -> HeldSignature? {
    let campaign = Int(ref.campaign.index)
    guard !campaigns[campaign].safety.held.isEmpty else { return nil }
    let config = servers[Int(self[ref].server.index)].config
    return campaigns[campaign].safety.held.first { $0.kind.includes(config) }
  }

  /// Lets every lane of a campaign be looked at again: something that people or time do to all.
  mutating func wakeLanes(of id: CampaignID) {
    for index in campaigns[id].lanes.indices where campaigns[id].lanes[index].open > 0 {
      markDirty(campaigns[id].lanes[index].client)
    }
  }
}

extension ServerKind {
  func includes(_ config: ServerConfig) -> Bool {
    guard config.system == system else { return false }
    return role.map(config.roles.contains) ?? config.roles.isEmpty
  }
}

extension Signature {
  fileprivate func isSame(_ held: HeldSignature) -> Bool {
    kind == held.kind && phase == held.phase && cause == held.cause
  }

  fileprivate func isSame(_ other: Signature) -> Bool {
    kind == other.kind && phase == other.phase && cause == other.cause
  }
}

extension CampaignSafety {
  /// Adds the client of a signature to those that were seen before.
  /// - Returns: the signature with all its clients.
  fileprivate mutating func note(_ new: Signature) -> Signature {
    if let place = signatures.firstIndex(where: new.isSame) {
      signatures[place].lastAt = new.lastAt
      for client in new.clients where !signatures[place].clients.contains(client) {
        if signatures[place].clients.count < Limits.signatureClients {
          signatures[place].clients.append(client)
        }
      }
      return signatures[place]
    }
    if signatures.count >= Limits.signatures,
      let oldest = signatures.indices.min(by: { signatures[$0].lastAt < signatures[$1].lastAt })
    {
      signatures.remove(at: oldest)
    }
    signatures.append(new)
    return new
  }
}

/// What is the same in the errors of two servers.
package enum ErrorText {
  /// The words of a message without numbers, names of single things and what stands in quotes:
  /// `0x80070643: MSI 17 on LAA-WEB01 “failed”` becomes `0x80070643: msi # on # …`. Failure codes of
  /// Windows stay, because they say what went wrong.
  package static func normalised(_ message: String) -> String {
    let words = withoutQuotes(message.lowercased()).split { $0.isWhitespace }
    return words.map(word).joined(separator: " ").bounded(to: Limits.signatureCause)
  }

  private static func word(_ word: Substring) -> String {
    let core = word.prefix { $0.isLetter || $0.isNumber }
    if isFailureCode(core) { return String(core) + word.dropFirst(core.count).filter { $0 == ":" } }
    let isHex = word.utf8.count >= 8 && word.utf8.allSatisfy(\.isHexLetter)
    return isHex || word.utf8.contains { (0x30...0x39).contains($0) } ? "#" : String(word)
  }

  /// HRESULT and NTSTATUS values that mean a failure: `0x8…` and `0xc…` with eight digits.
  private static func isFailureCode(_ word: Substring) -> Bool {
    word.utf8.count == 10 && (word.hasPrefix("0x8") || word.hasPrefix("0xc"))
      && word.utf8.dropFirst(2).allSatisfy { $0.isHexLetter || (0x30...0x39).contains($0) }
  }

  private static func withoutQuotes(_ text: String) -> String {
    var kept = ""
    var end: Character?
    for character in text {
      if let closing = end {
        if character == closing { end = nil }
      } else if let closing = closing(character, after: kept.last) {
        kept += "…"
        end = closing
      } else {
        kept.append(character)
      }
    }
    return kept
  }

  /// An apostrophe within a word opens nothing.
  private static func closing(_ character: Character, after last: Character?) -> Character? {
    switch character {
    case "\"": "\""
    case "“": "”"
    case "«": "»"
    case "'": last?.isLetter ?? false ? nil : "'"
    case _: nil
    }
  }
}

extension UInt8 {
  fileprivate var isHexLetter: Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
  }
}

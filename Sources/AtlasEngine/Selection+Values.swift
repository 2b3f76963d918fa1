import AtlasModel

/// Values of a selection that cover nothing by themselves. Most often they are misspelt, and beside
/// others that cover something nobody would notice.
extension ControlState {
  /// Refuses every value that covers no server in service, with what was probably meant. What
  /// covers some, but none within the rest of the selection, is right here.
  func checkValues(of selection: Selection) throws(Refusal) {
    let problems: [SelectionProblem] =
      clientProblems(selection.clients) + ringProblems(selection.rings)
      + problems(selection.sites, "sites", "no server in service is at site", \.text) {
        [$0.site]
      }
      + problems(selection.roles, "roles", "no server in service has role", \.text) { $0.roles }
      + serverProblems(selection.servers)
      + problems(selection.tags, "tags", "no server in service has tag", \.text) { $0.tags }
      + patternProblems(selection.names)
    guard let first = problems.first else { return }
    let isOneField = problems.allSatisfy { $0.field == first.field }
    let shown = problems.prefix(Self.shownProblems).map(\.text).joined(separator: "; ")
    let left = problems.count - Self.shownProblems
    throw .invalid(
      field: isOneField ? "selection.\(first.field)" : "selection",
      message: left > 0 ? "\(shown); and \(left) more" : shown)
  }

  /// So many fit on a screen.
  private static var shownProblems: Int { 5 }

  /// - Parameter has: What is said of the fleet, in front of the value.
  private func problems<Value: Hashable>(
    _ values: [Value], _ field: String, _ has: String, _ text: (Value) -> String,
    of server: (ServerConfig) -> [Value]
  ) -> [SelectionProblem] {
    guard !values.isEmpty else { return [] }
    var known: Set<Value> = []
    for one in servers where !one.retired { known.formUnion(server(one.config)) }
    let missing = values.filter { !known.contains($0) }
    guard !missing.isEmpty else { return [] }
    let names = known.map(text).sorted()
    return missing.map { SelectionProblem(field, "\(has) \(text($0))", meant(text($0), names)) }
  }

  private func clientProblems(_ names: [ClientName]) -> [SelectionProblem] {
    names.compactMap { name in
      guard let id = clientByName[name] else {
        let known = clients.map(\.config.name.text).sorted()
        return SelectionProblem(
          "clients", "there is no client \(name)", meant(name.text, known))
      }
      guard isEmpty(clients[Int(id.index)]) else { return nil }
      return SelectionProblem("clients", "client \(name) has no server in service")
    }
  }

  private func ringProblems(_ rings: [Ring]) -> [SelectionProblem] {
    guard !rings.isEmpty else { return [] }
    let known = Set(clients.lazy.filter { !isEmpty($0) }.map(\.config.ring))
    let words = known.sorted().map(\.description)
    return rings.filter { !known.contains($0) }.map {
      SelectionProblem("rings", "no client in ring \($0) has a server in service", known: words)
    }
  }

  private func serverProblems(_ names: [ServerName]) -> [SelectionProblem] {
    names.compactMap { name in
      guard let id = serverByName[name] else {
        return SelectionProblem(
          "servers", "there is no server \(name)", Hint(meant: serverMeant(by: name.text)))
      }
      guard servers[Int(id.index)].retired else { return nil }
      return SelectionProblem("servers", "server \(name) is retired")
    }
  }

  private func patternProblems(_ patterns: [NamePattern]) -> [SelectionProblem] {
    patterns.filter { !fitsAny($0) }.map { pattern in
      // Case counts, and most fleets keep to one.
      let other = [pattern.text.uppercased(), pattern.text.lowercased()].first {
        fitsAny(NamePattern(trusted: $0))
      }
      let isName = !pattern.text.contains { $0 == "*" || $0 == "?" }
      return SelectionProblem(
        "name_patterns", "no name of a server in service fits \(pattern)",
        Hint(meant: other ?? (isName ? serverMeant(by: pattern.text) : nil)))
    }
  }

  private func fitsAny(_ pattern: NamePattern) -> Bool {
    servers.contains { !$0.retired && pattern.fits($0.config.name) }
  }

  private func isEmpty(_ client: Client) -> Bool {
    client.servers.allSatisfy { servers[Int($0.index)].retired }
  }

  private func serverMeant(by text: String) -> String? {
    guard servers.count <= Limits.namesCompared else { return nil }
    let known = servers.lazy.filter { !$0.retired }.map(\.config.name.text)
    return Spelling.nearest(to: text, among: known.sorted())
  }

  private func meant(_ text: String, _ known: [String]) -> Hint {
    guard known.count <= Limits.namesCompared else { return Hint() }
    return Hint(meant: Spelling.nearest(to: text, among: known), known: known)
  }
}

/// What would be right in place of a value.
private struct Hint {
  var meant: String?
  /// Sorted.
  var known: [String] = []

  /// Some of what is known, where nothing is near.
  var text: String {
    if let meant { return ": did you mean \(meant)?" }
    guard !known.isEmpty else { return "" }
    let shown = known.prefix(Self.shown).joined(separator: ", ")
    return " (known: \(shown)\(known.count > Self.shown ? ", …" : ""))"
  }

  private static var shown: Int { 10 }
}

/// One value that covers nothing.
private struct SelectionProblem {
  /// Of ``Selection``, as it is called on the wire.
  let field: String
  let text: String

  init(_ field: String, _ reason: String, _ hint: Hint = Hint()) {
    self.field = field
    text = reason + hint.text
  }

  init(_ field: String, _ reason: String, known: [String]) {
    self.init(field, reason, Hint(known: known))
  }
}

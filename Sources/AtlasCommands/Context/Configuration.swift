import AtlasWire

/// What the program remembers between two runs: named daemons, and which of them is in use.
///
/// ```yaml
/// current: night
/// contexts:
///   night:
///     address: atlas.example.net:7443
///     ca: /etc/atlas/ca.pem
///     evidence_key: 5f2c…
/// ```
struct Configuration: Sendable, Hashable {
  /// How to reach one daemon.
  struct Context: Sendable, Hashable {
    var name: String
    var address: Address
    /// Set for a connection with TLS.
    var security: Security?
    /// Fingerprint of the key that the daemon signs evidence with; nil when nobody has said it.
    var evidenceKey: String?
  }

  /// What a connection with TLS needs. Paths are those of PEM files.
  struct Security: Sendable, Hashable {
    /// Who signed the daemon's certificate; nil for those whom the system trusts.
    var ca: String?
    /// This program's own certificate with its key, where the daemon wants one.
    var certificate: String?
    var key: String?
    /// The name in the daemon's certificate, when it is not the host of the address.
    var serverName: String?
  }

  /// The name of the context in use; nil for none.
  var current: String?
  /// In the order of their names.
  private(set) var contexts: [Context] = []

  init() {}

  subscript(name: String) -> Context? { contexts.first { $0.name == name } }

  /// Adds a context, or replaces the one with its name.
  mutating func set(_ context: Context) {
    contexts.removeAll { $0.name == context.name }
    contexts.append(context)
    contexts.sort { $0.name < $1.name }
  }

  /// Removes a context; if it was in use, none is.
  mutating func remove(_ name: String) {
    contexts.removeAll { $0.name == name }
    if current == name { current = nil }
  }

  /// The context `name`.
  ///
  /// - Throws: ``Failure`` that lists those there are.
  func context(_ name: String) throws(Failure) -> Context {
    if let context = self[name] { return context }
    let known = contexts.map(\.name).joined(separator: ", ")
    throw .usage(
      "there is no context “\(name)”" + (known.isEmpty ? "" : "; there are \(known)"),
      hint: "atlas context set \(name) --address HOST:PORT")
  }
}

// MARK: - The file

extension Configuration {
  /// Where the file is: `ATLAS_CONFIG`, or below the home directory.
  static func path(in environment: [String: String]) -> String {
    if let path = environment["ATLAS_CONFIG"], !path.isEmpty { return path }
    let home = environment["HOME"] ?? "/"
    let base = environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "\(home)/.config"
    return "\(base)/atlas/config.yaml"
  }

  /// Reads the file; a file that does not exist is an empty configuration.
  ///
  /// - Throws: ``Failure`` naming file and line.
  init(path: String) throws(Failure) {
    self.init()
    guard FileReading.exists(path) else { return }
    let bytes = try FileReading.bytes(of: path, limit: CommandLimits.configuration)
    do {
      try read(PlainYAML.parse(String(decoding: bytes, as: UTF8.self)))
    } catch {
      throw Failure(
        .usage, "\(path):\(error.line): \(error.message)",
        hint: "correct the file, or remove it and use atlas context set")
    }
  }

  /// Replaces the file.
  ///
  /// - Throws: ``Failure``.
  func write(to path: String) throws(Failure) {
    try FileReading.replace(path, with: YAMLWriter.text(of: json))
  }

  /// The configuration as it is written.
  var json: JSONValue {
    var members: [JSONValue.Member] = []
    if let current { members.append(.init("current", .string(current))) }
    let named = contexts.map { JSONValue.Member($0.name, $0.json) }
    members.append(.init("contexts", .object(named)))
    return .object(members)
  }

  private mutating func read(_ entries: [PlainYAML.Entry]) throws(PlainYAML.Problem) {
    for entry in entries {
      switch entry.name {
      case "current": current = try entry.text()
      case "contexts":
        for context in try entry.children() { set(try Context(context)) }
      case _: throw entry.problem("“\(entry.name)” is not known; use current or contexts")
      }
    }
  }
}

extension Configuration.Context {
  /// As it is written; the name is the key above it.
  var json: JSONValue {
    let texts = [
      ("address", address.description), ("ca", security?.ca),
      ("certificate", security?.certificate), ("key", security?.key),
      ("server_name", security?.serverName), ("evidence_key", evidenceKey),
    ]
    var members = texts.compactMap { name, text in text.map { JSONValue.Member(name, .string($0)) }
    }
    if security == Configuration.Security() { members.append(.init("tls", .bool(true))) }
    return .object(members)
  }

  fileprivate init(_ entry: PlainYAML.Entry) throws(PlainYAML.Problem) {
    var address: Address?
    var security = Configuration.Security()
    var isSecure = false
    var evidenceKey: String?
    for setting in try entry.children() {
      switch setting.name {
      case "address": address = try setting.address()
      case "ca": security.ca = try setting.text()
      case "certificate": security.certificate = try setting.text()
      case "key": security.key = try setting.text()
      case "server_name": security.serverName = try setting.text()
      case "tls": isSecure = try setting.text() == "true"
      case "evidence_key": evidenceKey = try setting.fingerprint()
      case _:
        throw setting.problem(
          "“\(setting.name)” is not known; use address, ca, certificate, key, server_name, tls or "
            + "evidence_key")
      }
    }
    guard let address else { throw entry.problem("the context “\(entry.name)” has no address") }
    let hasAny = security != Configuration.Security()
    self.init(
      name: entry.name, address: address, security: hasAny || isSecure ? security : nil,
      evidenceKey: evidenceKey)
  }
}

extension PlainYAML.Entry {
  fileprivate func fingerprint() throws(PlainYAML.Problem) -> String {
    let value = try text()
    guard EvidenceFingerprint.isOne(value) else {
      throw problem("evidence_key is 64 digits and letters a to f, not “\(value)”")
    }
    return value
  }

  fileprivate func address() throws(PlainYAML.Problem) -> Address {
    do {
      return try Address(text())
    } catch let failure as Failure {
      throw problem(failure.message)
    } catch {
      throw problem("has no address")
    }
  }
}

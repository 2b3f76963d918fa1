import ArgumentParser
import AtlasWire

/// `atlas context …`
struct ContextNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "context",
    abstract: "Names for daemons, and which of them is in use.",
    discussion: """
      Kept in ~/.config/atlas/config.yaml, or in the file that ATLAS_CONFIG names.

        atlas context set night --address atlas.example.net:7443 --ca ca.pem
        atlas context use night
      """,
    subcommands: [
      ContextList.self, ContextUse.self, ContextSet.self, ContextDelete.self, ContextShow.self,
    ])
}

/// `atlas context list`
struct ContextList: Verb {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "All contexts.",
    discussion: """
        atlas context list
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run(with console: Console) async throws {
    let path = Configuration.path(in: console.environment)
    let configuration = try Configuration(path: path)
    let current = configuration.current
    let columns: [Column<Configuration.Context>] = [
      Column("IN USE") { $0.name == current ? "*" : "" },
      Column("NAME") { $0.name },
      Column("ADDRESS") { $0.address.description },
      Column("TLS") { $0.security == nil ? "no" : "yes" },
      Column("CA", wide: true) { $0.security?.ca ?? "" },
      Column("CERTIFICATE", wide: true) { $0.security?.certificate ?? "" },
    ]
    let contexts = configuration.contexts
    try console.show(
      Presentation(
        .value(configuration.json), rows: contexts.map { .value($0.named) },
        names: contexts.map(\.name)
      ) { space in
        if contexts.isEmpty { return [Line(Span("there are no contexts in \(path)", .dim))] }
        return space.lines(of: Table(contexts, columns, wide: space.isWide))
      }, as: global.output)
  }
}

/// `atlas context use`
struct ContextUse: Verb {
  static let configuration = CommandConfiguration(
    commandName: "use",
    abstract: "Use a context from now on.",
    discussion: """
        atlas context use night
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The context.") var name: String

  func run(with console: Console) async throws {
    let path = Configuration.path(in: console.environment)
    var configuration = try Configuration(path: path)
    let context = try configuration.context(name)
    configuration.current = name
    try configuration.write(to: path)
    try console.show(
      context.presentation("\(name) is in use: \(context.address)"), as: global.output)
  }
}

/// `atlas context set`
struct ContextSet: Verb {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Add a context, or change one.",
    discussion: """
      The first one is put to use. Any of --ca, --certificate, --server-name and --tls makes the \
      connection one with TLS. --evidence-key is what atlas audit key said, or a file with it: \
      then atlas audit verify knows whose evidence it has. An empty text takes a setting out.

        atlas context set local --address 127.0.0.1:7443
        atlas context set night --address atlas.example.net:7443 --ca ca.pem
        atlas context set night --evidence-key 5f2c…
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The context.") var name: String
  @Option(
    help: ArgumentHelp("Who signed the daemon's certificate.", valueName: "file"),
    completion: .file()) var ca: String?
  @Option(
    help: ArgumentHelp("This program's own certificate.", valueName: "file"), completion: .file())
  var certificate: String?
  @Option(help: ArgumentHelp("The key of the certificate.", valueName: "file"), completion: .file())
  var key: String?
  @Option(help: ArgumentHelp("The name in the daemon's certificate.", valueName: "name"))
  var serverName: String?
  @Flag(help: "TLS, with authorities that the system trusts.") var tls = false
  @Option(
    help: ArgumentHelp(
      "The key that the daemon signs evidence with.", valueName: "file or fingerprint"))
  var evidenceKey: String?

  func run(with console: Console) async throws {
    let path = Configuration.path(in: console.environment)
    var configuration = try Configuration(path: path)
    let context = try changed(configuration[name])
    configuration.set(context)
    if configuration.contexts.count == 1 { configuration.current = name }
    try configuration.write(to: path)
    try console.show(context.presentation("\(name) is \(context.address)"), as: global.output)
  }

  private func changed(_ old: Configuration.Context?) throws(Failure) -> Configuration.Context {
    guard Self.isName(name) else {
      throw .usage("“\(name)” is no name of a context: use letters, digits, “-”, “_” and “.”")
    }
    // --address is a global option; here it is what the context is set to.
    guard
      let address = try global.address.map({ text throws(Failure) in try Address(text) })
        ?? old?.address
    else {
      throw .usage(
        "the new context \(name) needs an address",
        hint: "atlas context set \(name) --address HOST:PORT")
    }
    var security = old?.security ?? Configuration.Security()
    security.ca = Self.merged(ca, security.ca)
    security.certificate = Self.merged(certificate, security.certificate)
    security.key = Self.merged(key, security.key)
    security.serverName = Self.merged(serverName, security.serverName)
    guard (security.certificate == nil) == (security.key == nil) else {
      throw .usage("--certificate and --key go together")
    }
    let isSecure = tls || security != Configuration.Security()
    return Configuration.Context(
      name: name, address: address, security: isSecure ? security : nil,
      evidenceKey: try mergedKey(old?.evidenceKey))
  }

  private func mergedKey(_ old: String?) throws(Failure) -> String? {
    guard let evidenceKey else { return old }
    if evidenceKey.isEmpty { return nil }
    return try EvidenceFingerprint.read(evidenceKey, option: "--evidence-key")
  }

  private static func merged(_ new: String?, _ old: String?) -> String? {
    guard let new else { return old }
    return new.isEmpty ? nil : new
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 64
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "-_.".utf8.contains(byte)
      }
  }
}

/// `atlas context delete`
struct ContextDelete: Verb {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Forget a context.",
    discussion: """
        atlas context delete night
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "The context.") var name: String

  func run(with console: Console) async throws {
    let path = Configuration.path(in: console.environment)
    var configuration = try Configuration(path: path)
    let context = try configuration.context(name)
    configuration.remove(name)
    try configuration.write(to: path)
    try console.show(context.presentation("\(name) is forgotten"), as: global.output)
  }
}

/// `atlas context show`
struct ContextShow: Verb {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "The daemon that would be talked to, and why that one.",
    discussion: """
        atlas context show
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run(with console: Console) async throws {
    let destination = try Destination(options: global, environment: console.environment)
    let security = destination.security
    let document = JSONValue.members([
      "address": .string(destination.address.description),
      "source": .string(destination.source), "tls": .bool(security != nil),
    ])
    try console.show(
      Presentation(.value(document), names: [destination.address.description]) { _ in
        var facts = Description()
        facts.add("Address", destination.address.description, .bold)
        facts.add("From", destination.source)
        facts.add("TLS", security == nil ? "no" : "yes")
        facts.add("CA", security?.ca ?? "")
        facts.add("Certificate", security?.certificate ?? "")
        facts.add("Key", security?.key ?? "")
        facts.add("Server name", security?.serverName ?? "")
        facts.add("Evidence key", destination.evidenceKey ?? "")
        facts.add("File", Configuration.path(in: console.environment))
        return facts.lines
      }, as: global.output)
  }
}

extension Configuration.Context {
  /// With its name inside.
  fileprivate var named: JSONValue {
    guard case .object(let members) = json else { return json }
    return .object([JSONValue.Member("name", .string(name))] + members)
  }

  fileprivate func presentation(_ text: String) -> Presentation {
    Presentation(.value(named), names: [name]) { _ in [Line(text)] }
  }
}

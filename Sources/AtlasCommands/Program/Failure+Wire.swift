import AtlasModel
import AtlasWire
import GRPCCore
import Glibc

extension Failure {
  /// Where a call was made from: what is needed to say what to do next.
  struct CallSite: Sendable {
    /// The daemon's address as it was given.
    var address: String
    /// How long the call was allowed to take.
    var timeout: Duration
    /// The verb that lists what the caller may have misspelt, such as `atlas campaign list`.
    var listVerb: String
    /// The words of the command line, to tell a wrong flag from a wrong file.
    var arguments: [String]

    /// The verb that lists things of a kind: a command names servers and clients beside what it is
    /// about.
    func listVerb(of kind: String?) -> String {
      switch kind {
      case "campaign", "client", "server": "atlas \(kind ?? "") list"
      case _: listVerb
      }
    }
  }

  /// What a failed call means to the person who made it.
  init(_ error: RPCError, at site: CallSite) {
    let status = WireStatus(error)
    let hint = status.metadata["hint"]
    // What the message says already is not said again.
    let fields = status.fieldViolations.filter { !status.message.contains($0.description) }
    let details =
      fields.map { "\($0.field): \($0.description)" }
      + status.preconditionViolations.map { "\($0.subject): \($0.description)" }
    switch error.code {
    case .invalidArgument:
      let isFlag = status.fieldViolations.contains { site.isFlag($0.field) }
      self.init(isFlag ? .usage : .error, status.message, details: details, hint: hint)
    case .notFound:
      let meant = status.metadata["nearest"].map { "did you mean \($0)? " } ?? ""
      let listed = "\(meant)\(site.listVerb(of: status.metadata["kind"])) shows what there is"
      self.init(.error, status.message, details: details, hint: hint ?? listed)
    case .failedPrecondition, .permissionDenied, .unauthenticated:
      self.init(.notAllowed, status.message, details: details, hint: hint)
    case .aborted:
      let again = "look at it again, then repeat the command"
      self.init(.guarded, status.message, details: details, hint: hint ?? again)
    case .deadlineExceeded:
      self.init(
        .timeout, "no answer from \(site.address) within \(site.timeout.text)", details: details,
        hint: hint ?? "allow more time with --timeout, or look at the daemon with atlas doctor")
    case .unavailable:
      self.init(unreachable: error, status: status, at: site)
    case .unimplemented where status.message.contains("HTTP Status Code"):
      // gRPC maps a 404 to this code: a web server or a proxy answered.
      self.init(
        .error, "what answers at \(site.address) is no Atlas daemon", details: [status.message],
        hint: "atlas context show tells where the address comes from")
    case .unimplemented:
      // The message names the method; see ``MethodNames``.
      self.init(
        .error, "the daemon at \(site.address) does not serve this: \(status.message)",
        hint: hint ?? Self.unservedHint)
      isUnserved = true
    case _:
      self.init(.error, status.message, details: details, hint: hint)
    }
  }

  private static let unservedHint =
    "atlasd is older than this program, \(AtlasVersion.text), or was started without that part"

  private init(unreachable error: RPCError, status: WireStatus, at site: CallSite) {
    let isOwn = error.cause == nil && !status.message.hasPrefix("Channel is")
    let message =
      isOwn
      ? "the daemon at \(site.address) is not available: \(status.message)"
      : "cannot reach the daemon at \(site.address)"
    let cause = isOwn ? [] : error.innermostCause.map { [$0.withoutPlumbing] } ?? []
    self.init(
      .unreachable, message, details: cause,
      hint: status.metadata["hint"]
        ?? "is atlasd running? atlas context show tells where the address comes from, "
        + "--address HOST:PORT takes another")
  }
}

extension Failure.CallSite {
  /// Whether the field of a request came from a flag of the command line: `update_set.cut_off` is
  /// `--cut-off`.
  fileprivate func isFlag(_ field: String) -> Bool {
    let name = field.split(separator: ".").last.map(String.init) ?? field
    let flag = "--" + String(name.map { $0 == "_" ? "-" : $0 })
    return arguments.contains { $0 == flag || $0.hasPrefix(flag + "=") }
  }
}

extension RPCError {
  /// The error at the bottom of the chain of causes, in words; nil if there is none.
  fileprivate var innermostCause: String? {
    var cause = cause
    while let wrapped = cause as? RPCError, let next = wrapped.cause { cause = next }
    if let bottom = cause as? RPCError { return bottom.message }
    return cause.map { String(describing: $0) }
  }
}

extension String {
  /// The system's own words for an error number, where the transport wraps them in its own.
  fileprivate var withoutPlumbing: String {
    let parts = split(separator: "(errno: ", maxSplits: 1)
    guard parts.count == 2, let number = Int32(parts[1].prefix { $0.isNumber }) else { return self }
    return String(cString: strerror(number))
  }
}

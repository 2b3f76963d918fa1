import AtlasWire
import GRPCCore
import Testing

@testable import AtlasCommands

@Suite("A failed call")
struct FailureTests {
  private let site = Failure.CallSite(
    address: "a:1", timeout: .seconds(15), listVerb: "atlas client list",
    arguments: ["server", "lock", "--until", "x"])

  @Test(
    "becomes what a script can tell apart",
    arguments: [
      (RPCError.Code.invalidArgument, ProgramStatus.error), (.notFound, .error),
      (.alreadyExists, .error), (.failedPrecondition, .notAllowed), (.aborted, .guarded),
      (.permissionDenied, .notAllowed), (.unauthenticated, .notAllowed),
      (.resourceExhausted, .error), (.deadlineExceeded, .timeout), (.unavailable, .unreachable),
      (.unimplemented, .error), (.internalError, .error), (.cancelled, .error),
    ])
  func status(code: RPCError.Code, expected: ProgramStatus) {
    #expect(Failure(RPCError(code: code, message: "m"), at: site).status == expected)
  }

  @Test("lists the fields that are wrong; one that came from a flag is a matter of usage")
  func fields() {
    func failure(_ field: String) -> Failure {
      Failure(
        WireStatus(
          .invalidArgument, "no", fieldViolations: [.init(field: field, description: "is past")]
        ).rpcError, at: site)
    }
    #expect(failure("lock.until") == Failure(.usage, "no", details: ["lock.until: is past"]))
    #expect(failure("policy") == Failure(.error, "no", details: ["policy: is past"]))
  }

  @Test("does not say a field again that the message is about")
  func once() {
    let status = WireStatus(
      .invalidArgument, "no use: p.yaml:2: ring: is 9",
      fieldViolations: [
        .init(field: "policy.ring", description: "p.yaml:2: ring: is 9"),
        .init(field: "policy.site", description: "p.yaml:3: site: is empty"),
      ])
    #expect(
      Failure(status.rpcError, at: site)
        == Failure(
          .error, status.message, details: ["policy.site: p.yaml:3: site: is empty"]))
  }

  @Test("at something that is no daemon says so")
  func noDaemon() {
    let text = "Unexpected non-200 HTTP Status Code (404 Not Found)."
    #expect(
      Failure(RPCError(code: .unimplemented, message: text), at: site)
        == Failure(
          .error, "what answers at a:1 is no Atlas daemon", details: [text],
          hint: "atlas context show tells where the address comes from"))
  }

  @Test("to find something says what was probably meant, and where the others are")
  func nearest() {
    let status = WireStatus(
      .notFound, "there is no client “LAX”", reason: "NOT_FOUND",
      metadata: ["kind": "client", "name": "LAX", "nearest": "LAA"])
    #expect(
      Failure(status.rpcError, at: site)
        == Failure(
          .error, "there is no client “LAX”",
          hint: "did you mean LAA? atlas client list shows what there is"))
  }

  @Test("passes on what the daemon suggests")
  func hint() {
    let status = WireStatus(
      .failedPrecondition, "the run is not held", reason: "RUN_NOT_HELD",
      metadata: ["hint": "atlas campaign retry"],
      preconditionViolations: [.init(type: "STATE", subject: "X", description: "is PENDING")])
    #expect(
      Failure(status.rpcError, at: site)
        == Failure(
          .notAllowed, "the run is not held", details: ["X: is PENDING"],
          hint: "atlas campaign retry"))
  }

  @Test("names the verb that lists what there is")
  func notFound() {
    let failure = Failure(RPCError(code: .notFound, message: "there is no client “X”"), at: site)
    #expect(
      failure
        == Failure(
          .error, "there is no client “X”", hint: "atlas client list shows what there is"))
  }

  @Test("names the verb that lists things of the kind, whatever the command is about")
  func notFoundKind() {
    let status = WireStatus(
      .notFound, "there is no server “X”", reason: "NOT_FOUND",
      metadata: ["kind": "server", "name": "X"])
    #expect(
      Failure(status.rpcError, at: site)
        == Failure(
          .error, "there is no server “X”", hint: "atlas server list shows what there is"))
  }

  @Test("cannot do anything to the terminal")
  func escapes() {
    let failure = Failure(RPCError(code: .notFound, message: "no \u{1B}[2J"), at: site)
    #expect(failure.lines[0].text(in: .none) == "error: no �[2J")
  }
}

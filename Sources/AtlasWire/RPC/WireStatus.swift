package import GRPCCore

/// An error of the API with its details: what a service throws and what a client finds in the
/// `RPCError` it catches (https://google.aip.dev/193).
///
/// On the wire it is a `google.rpc.Status` in the trailer `grpc-status-details-bin`.
package struct WireStatus: Error, Sendable, Hashable {
  /// The kind of error.
  package var code: RPCError.Code

  /// In words, for people: what is wrong, with names and values.
  package var message: String

  /// The reason for programs, UPPER_SNAKE_CASE, such as `RUN_NOT_HELD`; empty for none.
  package var reason: String

  /// More for programs, such as the names of what is concerned. Goes with ``reason``.
  package var metadata: [String: String]

  /// The fields of the request that are wrong.
  package var fieldViolations: [GoogleRPC.BadRequest.FieldViolation]

  /// The conditions that do not hold.
  package var preconditionViolations: [GoogleRPC.PreconditionFailure.Violation]

  /// How long to wait before trying again; nil if the error says nothing about it.
  package var retryDelay: Swift.Duration?

  package init(
    _ code: RPCError.Code, _ message: String, reason: String = "",
    metadata: [String: String] = [:],
    fieldViolations: [GoogleRPC.BadRequest.FieldViolation] = [],
    preconditionViolations: [GoogleRPC.PreconditionFailure.Violation] = [],
    retryDelay: Swift.Duration? = nil
  ) {
    self.code = code
    self.message = message
    self.reason = reason
    self.metadata = metadata
    self.fieldViolations = fieldViolations
    self.preconditionViolations = preconditionViolations
    self.retryDelay = retryDelay
  }

  /// The owner of every ``reason`` of this API.
  package static let domain = "atlas"

  /// The trailer that carries the details.
  package static let trailer = "grpc-status-details-bin"

  /// The most that the encoded details may take. Trailers share the 8 to 16 KiB that HTTP/2 peers
  /// accept for all header fields, and base64 adds a third.
  package static let detailBytes = 4096

  /// The longest message that is sent. A transport escapes each byte that is not ASCII as three.
  package static let messageBytes = 1024
}

// MARK: - To the wire

extension WireStatus: RPCErrorConvertible {
  package var rpcErrorCode: RPCError.Code { code }

  package var rpcErrorMessage: String { message.prefix(utf8Bytes: Self.messageBytes) }

  package var rpcErrorMetadata: Metadata {
    var trailers = Metadata()
    if let status = detailedStatus { trailers.addBinary(status.encode(), forKey: Self.trailer) }
    return trailers
  }

  package var rpcErrorCause: (any Error)? { nil }

  /// The same as an `RPCError`.
  package var rpcError: RPCError { RPCError(self) }

  /// The details, cut down until they fit: the violations from the last on, then the metadata.
  /// Nil if there are none.
  private var detailedStatus: GoogleRPC.Status? {
    var shortened = self
    while true {
      let status = shortened.status
      if status.details.isEmpty { return nil }
      if status.encodedCount <= Self.detailBytes { return status }
      if shortened.dropSomething() { continue }
      return nil
    }
  }

  private var status: GoogleRPC.Status {
    GoogleRPC.Status(
      code: Int32(code.rawValue), message: rpcErrorMessage, details: details)
  }

  private var details: [GoogleProtobuf.`Any`] {
    var details: [GoogleProtobuf.`Any`] = []
    if !reason.isEmpty {
      let info = GoogleRPC.ErrorInfo(reason: reason, domain: Self.domain, metadata: metadata)
      details.append(.init(packing: info))
    }
    if !fieldViolations.isEmpty {
      details.append(.init(packing: GoogleRPC.BadRequest(fieldViolations: fieldViolations)))
    }
    if !preconditionViolations.isEmpty {
      let failure = GoogleRPC.PreconditionFailure(violations: preconditionViolations)
      details.append(.init(packing: failure))
    }
    if let retryDelay {
      details.append(.init(packing: GoogleRPC.RetryInfo(retryDelay: .init(retryDelay))))
    }
    return details
  }

  /// Halves the longest list; false if there is nothing left to drop.
  private mutating func dropSomething() -> Bool {
    let largest = max(fieldViolations.count, preconditionViolations.count, metadata.count)
    if largest == 0 { return false }
    if fieldViolations.count == largest {
      fieldViolations.removeLast((largest + 1) / 2)
    } else if preconditionViolations.count == largest {
      preconditionViolations.removeLast((largest + 1) / 2)
    } else {
      metadata = [:]
    }
    return true
  }
}

// MARK: - From the wire

extension WireStatus {
  /// What a peer's error says. Details that are missing, unknown or broken are left out: an error
  /// must never hide behind another.
  package init(_ error: RPCError) {
    self.init(error.code, error.message)
    guard let bytes = error.metadata[binaryValues: Self.trailer].first(where: { _ in true }),
      let status = try? GoogleRPC.Status(decoding: bytes)
    else { return }
    for detail in status.details { read(detail) }
  }

  private mutating func read(_ detail: GoogleProtobuf.`Any`) {
    if let info = try? detail.unpack(as: GoogleRPC.ErrorInfo.self) {
      reason = info.reason
      metadata = info.metadata
    } else if let request = try? detail.unpack(as: GoogleRPC.BadRequest.self) {
      fieldViolations = request.fieldViolations
    } else if let failure = try? detail.unpack(as: GoogleRPC.PreconditionFailure.self) {
      preconditionViolations = failure.violations
    } else if let retry = try? detail.unpack(as: GoogleRPC.RetryInfo.self) {
      retryDelay = retry.retryDelay.map { Swift.Duration($0) }
    }
  }
}

extension String {
  /// The longest prefix of whole characters that takes at most `limit` bytes.
  func prefix(utf8Bytes limit: Int) -> String {
    if utf8.count <= limit { return self }
    var end = startIndex
    var count = 0
    while end < endIndex {
      count += self[end].utf8.count
      if count > limit { break }
      end = index(after: end)
    }
    return String(self[..<end])
  }
}

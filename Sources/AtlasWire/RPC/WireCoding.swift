package import GRPCCore

/// Writes messages for a transport.
package struct WireSerializer<Message: WireMessage>: MessageSerializer {
  package init() {}

  package func serialize<Bytes: GRPCContiguousBytes>(_ message: Message) throws -> Bytes {
    message.encode(as: Bytes.self)
  }
}

/// Reads messages from a transport, within limits.
package struct WireDeserializer<Message: WireMessage>: MessageDeserializer {
  /// Who reads, which decides whose fault a bad message is.
  package enum Reader: Sendable {
    /// A server: a bad request is the client's, INVALID_ARGUMENT.
    case server
    /// A client: a bad response is the server's, INTERNAL.
    case client
  }

  private let reader: Reader
  private let limits: WireLimits

  package init(_ reader: Reader = .server, limits: WireLimits = .standard) {
    self.reader = reader
    self.limits = limits
  }

  /// - Throws: `RPCError`: RESOURCE_EXHAUSTED for more than the limits allow, otherwise the code
  ///   that says whose fault it is; the message names the field.
  package func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Message {
    do {
      return try Message(decoding: bytes, limits: limits)
    } catch {
      throw RPCError(code: code(for: error.kind), message: String(describing: error))
    }
  }

  private func code(for kind: WireError.Kind) -> RPCError.Code {
    switch (kind, reader) {
    case (.tooLarge, _): .resourceExhausted
    case (.invalid, .server): .invalidArgument
    case (.invalid, .client): .internalError
    }
  }
}

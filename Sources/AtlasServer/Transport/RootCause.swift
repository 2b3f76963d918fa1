import GRPCCore
import Glibc
import NIOCore

extension Error {
  /// The innermost error of gRPC's wrapping, as an operator reads it.
  var rootCause: String {
    switch self {
    case let error as RuntimeError: error.cause?.rootCause ?? error.message
    // Its own description names functions of NIO.
    case let error as IOError: String(cString: strerror(error.errnoCode))
    default: String(describing: self)
    }
  }
}

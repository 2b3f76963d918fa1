import Dispatch
import Glibc
import Synchronization

/// Tells when somebody asks again that the program ends, after it has begun to end in good order.
///
/// The first signal belongs to the service group, which hears every signal but heeds one.
package final class StopSignals: Sendable {
  private let signals: [Int32]
  private let again: @Sendable () -> Void
  private let sources = Mutex<[any DispatchSourceSignal]>([])

  /// - Parameter again: called at every signal after ``listen()``.
  package init(
    _ signals: [Int32] = [SIGTERM, SIGINT], again: @escaping @Sendable () -> Void
  ) {
    self.signals = signals
    self.again = again
  }

  deinit {
    sources.withLock { sources in
      for source in sources { source.cancel() }
    }
  }

  /// Call it once, when the program begins to end.
  ///
  /// - Parameter ready: called for each signal once it is heard; a moment before, it still does what
  ///   it did, which for a program that nobody has told otherwise is to end it.
  package func listen(ready: @escaping @Sendable () -> Void = {}) {
    sources.withLock { sources in
      precondition(sources.isEmpty, "somebody listens already")
      for signal in signals {
        let source = DispatchSource.makeSignalSource(signal: signal, queue: .global())
        source.setEventHandler { [again] in again() }
        source.setRegistrationHandler(handler: ready)
        source.resume()
        sources.append(source)
      }
    }
  }
}

extension StoreError: CustomStringConvertible {
  /// A sentence for an operator.
  package var description: String {
    switch self {
    case .inUse(let path, let pid):
      "the store at \(path) is in use by another process"
        + (pid.map { " (pid \($0))" } ?? "") + "; one daemon owns a data directory"
    case .format(let message):
      message
    case .outOfOrder(let expected, let got) where expected == got:
      "record \(got) does not carry the hash of the one before it; nothing was written"
    case .outOfOrder(let expected, let got):
      "the log goes on with record \(expected), not \(got); nothing was written"
    case .failed(let message):
      message
    case .outcomeUnknown(let message):
      "it is not known whether the last commit is on disk: \(message)"
    case .full(let message):
      message
    case .closed:
      "the store is closed"
    }
  }
}

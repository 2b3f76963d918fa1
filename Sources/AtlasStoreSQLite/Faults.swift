import AtlasStore
import GRDB

/// What an error of SQLite means to the caller of a store.
enum Faults {
  /// An error while the store was opened.
  static func opening(_ error: any Error, path: String) -> StoreError {
    fault(error, doing: "cannot open \(path)", path: path)
  }

  /// An error of a query; nothing was to be written.
  static func reading(_ error: any Error, path: String) -> StoreError {
    fault(error, doing: "cannot read \(path)", path: path)
  }

  /// An error while the write-ahead log was copied back; what was committed is in one of the two.
  static func flushing(_ error: any Error, path: String) -> StoreError {
    fault(error, doing: "cannot copy the write-ahead log back to \(path)", path: path)
  }

  /// An error of a statement of a transaction, before its COMMIT.
  ///
  /// - Parameter isUndone: Whether the transaction is known to be rolled back. Then nothing of it
  ///   can come back, except after an error of the disk itself, when nothing is sure.
  static func writing(_ error: any Error, isUndone: Bool, path: String) -> StoreError {
    if let error = error as? StoreError, isUndone { return error }
    guard let code = (error as? DatabaseError)?.resultCode, isUndone, !isOfDisk(code) else {
      return .outcomeUnknown(sentence(error, doing: "cannot write to \(path)"))
    }
    return .failed(sentence(error, doing: "cannot write to \(path)"))
  }

  /// An error of COMMIT itself.
  ///
  /// Only one kind leaves no doubt: "full" means that the frame with the commit mark could not be
  /// written in whole, and half a frame does not pass its checksum. Every other error may have
  /// come after the mark was written, a failed fsync above all.
  static func committing(_ error: any Error, isUndone: Bool, path: String) -> StoreError {
    let message = sentence(error, doing: "cannot commit to \(path)")
    let isFull = (error as? DatabaseError)?.resultCode == .SQLITE_FULL
    return isFull && isUndone ? .failed(message) : .outcomeUnknown(message)
  }

  /// Whether an error leaves the contents of the file in doubt.
  static func isOfDisk(_ error: any Error) -> Bool {
    (error as? DatabaseError).map { isOfDisk($0.resultCode) } ?? true
  }

  private static func isOfDisk(_ code: ResultCode) -> Bool {
    switch code {
    case .SQLITE_IOERR, .SQLITE_CORRUPT, .SQLITE_NOTADB: true
    case _: false
    }
  }

  private static func fault(_ error: any Error, doing what: String, path: String) -> StoreError {
    if let error = error as? StoreError { return error }
    switch (error as? DatabaseError)?.resultCode {
    case .SQLITE_NOTADB?:
      return .format("\(path) is not an Atlas store")
    case .SQLITE_CORRUPT?:
      return .format(
        "\(path) is damaged: \(sentence(error, doing: what)); "
          + "restore it from a backup, and check the disk")
    case _:
      return .failed(sentence(error, doing: what))
    }
  }

  private static func sentence(_ error: any Error, doing what: String) -> String {
    guard let error = error as? DatabaseError else { return "\(what): \(error)" }
    let code = error.extendedResultCode.rawValue
    return "\(what): \(error.message ?? "unknown error") (SQLite error \(code))"
  }
}

import AtlasStore
import AtlasStoreSQLite
import AtlasTestKit
import Foundation
import Testing

/// A directory of one test, removed after it.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    var template = Array("\(NSTemporaryDirectory())/atlas-store-XXXXXX".utf8CString)
    let made = try #require(mkdtemp(&template), "no temporary directory")
    path = String(cString: made)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }
}

/// The place of a SQLite store, in a directory that goes away with it.
struct SQLiteStorePlace: StorePlace {
  let directory: TemporaryDirectory
  var options = SQLiteStoreOptions()

  init() throws { directory = try TemporaryDirectory() }

  /// The store's directory; not the temporary one, so that making it is tested as well.
  var path: String { directory.path + "/data" }
  var file: String { path + "/atlas.db" }

  func open() throws(StoreError) -> any Store {
    try SQLiteStore(directory: path, options: options)
  }
}

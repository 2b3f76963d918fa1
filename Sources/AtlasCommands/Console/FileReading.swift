import FoundationEssentials

/// Reading and writing the files that a person names.
enum FileReading {
  /// The bytes of the file at `path`.
  ///
  /// - Throws: ``Failure`` naming the file: it cannot be read, or is larger than `limit` bytes.
  static func bytes(of path: String, limit: Int) throws(Failure) -> [UInt8] {
    let data: Data
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      if let size = attributes[.size] as? Int, size > limit {
        throw Failure(.usage, "\(path) has \(size) bytes; at most \(limit) are allowed")
      }
      data = try Data(contentsOf: URL(filePath: path))
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(.usage, "cannot read \(path): \(reason(error))")
    }
    return [UInt8](data)
  }

  /// Replaces the file at `path` in one step, making its directory if need be. Only its owner can
  /// read it.
  ///
  /// - Throws: ``Failure`` naming the file.
  static func replace(_ path: String, with text: String) throws(Failure) {
    let file = URL(filePath: path)
    do {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file, options: .atomic)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    } catch {
      throw Failure(.error, "cannot write \(path): \(reason(error))")
    }
  }

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  static func isDirectory(_ path: String) -> Bool {
    var isDirectory = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory
  }

  private static func reason(_ error: any Error) -> String {
    switch (error as? CocoaError)?.code {
    case .fileNoSuchFile?, .fileReadNoSuchFile?: "there is no such file"
    case .fileReadNoPermission?, .fileWriteNoPermission?: "permission denied"
    case _: String(describing: error)
    }
  }
}

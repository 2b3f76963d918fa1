import FoundationEssentials
import Glibc

/// A file that a person named, read whole.
package enum NamedFile {
  /// - Parameter make: Makes a value of the bytes.
  /// - Throws: ``NamedFileError`` naming the file: it cannot be read, or `make` cannot use it.
  package static func read<Value>(
    _ path: String, _ make: ([UInt8]) throws -> Value
  ) throws(NamedFileError) -> Value {
    let bytes: [UInt8]?
    do { bytes = try WholeFile.read(path) } catch {
      throw NamedFileError("cannot read \(path): \(String(cString: strerror(error.code)))")
    }
    guard let bytes else {
      throw NamedFileError("cannot read \(path): there is no such file")
    }
    do { return try make(bytes) } catch {
      throw NamedFileError("cannot use \(path): \(error)")
    }
  }
}

/// A file that cannot be used: which, and why.
package struct NamedFileError: Error, Equatable, CustomStringConvertible {
  package let message: String

  package var description: String { message }

  package init(_ message: String) { self.message = message }
}

extension DecodingError {
  /// Where in a JSON file something is wrong, and what would be right.
  var words: String {
    switch self {
    case .keyNotFound(let key, let context): "\(Self.place(context, key)): is missing"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      "\(Self.place(context)): is not \(Self.words(for: type))"
    // The decoder does not say where.
    case .dataCorrupted(let context) where context.codingPath.isEmpty: "is no JSON"
    case .dataCorrupted(let context): "\(Self.place(context)): \(context.debugDescription)"
    @unknown default: String(describing: self)
    }
  }

  private static func place(_ context: Context, _ key: (any CodingKey)? = nil) -> String {
    let path = (context.codingPath + [key].compactMap { $0 }).map(\.stringValue)
    return path.isEmpty ? "the file" : path.joined(separator: ".")
  }

  private static func words(for type: any Any.Type) -> String {
    switch "\(type)" {
    case "String": "a text"
    case "Double", "Int": "a number"
    case let name where name.hasPrefix("Dictionary"): "an object"
    case let name where name.hasPrefix("Array"): "a list"
    case let name: name
    }
  }
}

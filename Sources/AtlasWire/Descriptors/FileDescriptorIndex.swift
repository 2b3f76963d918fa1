internal import CAtlasProto

/// The `.proto` files behind the API, by what reflection clients ask for.
///
/// It hands out the `FileDescriptorProto` messages exactly as protoc wrote them.
package struct FileDescriptorIndex: Sendable {
  private struct File: Sendable {
    let bytes: [UInt8]
    let dependencies: [String]
  }

  private struct Extension: Sendable, Hashable {
    let type: String
    let number: Int32
  }

  private var files: [String: File] = [:]
  private var fileOfSymbol: [String: String] = [:]
  private var fileOfExtension: [Extension: String] = [:]
  private var messages: Set<String> = []

  /// The full names of all services, sorted.
  package private(set) var services: [String] = []

  /// The files of this API: `atlas.v1`, health, reflection, and what they import.
  package static let atlas: FileDescriptorIndex = {
    do {
      return try FileDescriptorIndex(descriptorSet: embeddedDescriptorSet)
    } catch {
      preconditionFailure("the embedded descriptor set is broken: \(error)")
    }
  }()

  /// The serialized `google.protobuf.FileDescriptorSet` that this program was built from.
  package static let embeddedDescriptorSet: [UInt8] = {
    var count = 0
    let base = atlas_descriptor_set(&count)
    return Array(UnsafeBufferPointer(start: base, count: count))
  }()

  /// - Parameter descriptorSet: a serialized `google.protobuf.FileDescriptorSet`.
  /// - Throws: ``WireError`` if it is none.
  package init(descriptorSet: [UInt8]) throws(WireError) {
    let source = Source(bytes: descriptorSet)
    for file in try source.message(in: 0..<descriptorSet.count).messages(1) { try add(file) }
    services.sort()
  }

  // MARK: Queries

  /// The file of this name and all that it imports, it first; nil if there is none.
  package func files(named name: String) -> [[UInt8]]? {
    guard files[name] != nil else { return nil }
    var order = [name]
    var seen: Set<String> = [name]
    var next = 0
    while next < order.count {
      let dependencies = files[order[next]]?.dependencies ?? []
      order += dependencies.filter { seen.insert($0).inserted }
      next += 1
    }
    return order.compactMap { files[$0]?.bytes }
  }

  /// As ``files(named:)``, for the file that declares this full name: a message, field, oneof,
  /// enum, enum value, service, method or extension.
  package func files(declaring symbol: String) -> [[UInt8]]? {
    fileOfSymbol[symbol].flatMap { files(named: $0) }
  }

  /// As ``files(named:)``, for the file that declares this extension of the message `type`.
  package func files(extending type: String, number: Int32) -> [[UInt8]]? {
    fileOfExtension[Extension(type: type, number: number)].flatMap { files(named: $0) }
  }

  /// The numbers of all extensions of the message `type`, sorted; nil if there is no such message.
  package func extensionNumbers(of type: String) -> [Int32]? {
    guard messages.contains(type) else { return nil }
    return fileOfExtension.keys.filter { $0.type == type }.map(\.number).sorted()
  }

  // MARK: Building, with the field numbers of google/protobuf/descriptor.proto

  private mutating func add(_ file: Source.Message) throws(WireError) {
    let name = file.string(1)
    let scope = file.string(2)
    files[name] = File(bytes: file.bytes, dependencies: file.strings(3))
    for message in try file.messages(4) { try add(message: message, scope: scope, file: name) }
    for enumeration in try file.messages(5) { try add(enum: enumeration, scope: scope, file: name) }
    for service in try file.messages(6) { try add(service: service, scope: scope, file: name) }
    for field in try file.messages(7) { add(extension: field, scope: scope, file: name) }
  }

  private mutating func add(
    message: Source.Message, scope: String, file: String
  ) throws(WireError) {
    let name = declare(message, in: scope, file: file)
    messages.insert(name)
    for field in try message.messages(2) { declare(field, in: name, file: file) }
    for nested in try message.messages(3) { try add(message: nested, scope: name, file: file) }
    for nested in try message.messages(4) { try add(enum: nested, scope: name, file: file) }
    for field in try message.messages(6) { add(extension: field, scope: name, file: file) }
    for oneof in try message.messages(8) { declare(oneof, in: name, file: file) }
  }

  /// An enum's values are named in the scope around it.
  private mutating func add(
    enum enumeration: Source.Message, scope: String, file: String
  ) throws(WireError) {
    declare(enumeration, in: scope, file: file)
    for value in try enumeration.messages(2) { declare(value, in: scope, file: file) }
  }

  private mutating func add(
    service: Source.Message, scope: String, file: String
  ) throws(WireError) {
    let name = declare(service, in: scope, file: file)
    services.append(name)
    for method in try service.messages(2) { declare(method, in: name, file: file) }
  }

  private mutating func add(extension field: Source.Message, scope: String, file: String) {
    declare(field, in: scope, file: file)
    let type = String(field.string(2).drop { $0 == "." })
    let number = Int32(truncatingIfNeeded: field.number(3))
    fileOfExtension[Extension(type: type, number: number)] = file
  }

  @discardableResult
  private mutating func declare(
    _ item: Source.Message, in scope: String, file: String
  ) -> String {
    let name = scope.isEmpty ? item.string(1) : scope + "." + item.string(1)
    fileOfSymbol[name] = file
    return name
  }
}

/// The bytes of a descriptor set, and messages in them.
private struct Source {
  let bytes: [UInt8]

  func message(in range: Range<Int>) throws(WireError) -> Message {
    Message(
      source: self, range: range, fields: try ProtoWalker.fields(of: bytes, in: range))
  }

  struct Message {
    let source: Source
    let range: Range<Int>
    let fields: [ProtoWalker.Field]

    var bytes: [UInt8] { Array(source.bytes[range]) }

    func ranges(_ number: UInt64) -> [Range<Int>] {
      fields.compactMap { field in
        guard field.number == number, case .bytes(let range) = field.value else { return nil }
        return range
      }
    }

    func messages(_ number: UInt64) throws(WireError) -> [Message] {
      var messages: [Message] = []
      for range in ranges(number) { messages.append(try source.message(in: range)) }
      return messages
    }

    func strings(_ number: UInt64) -> [String] {
      ranges(number).map { String(decoding: source.bytes[$0], as: UTF8.self) }
    }

    func string(_ number: UInt64) -> String { strings(number).last ?? "" }

    func number(_ number: UInt64) -> UInt64 {
      for field in fields.reversed() where field.number == number {
        if case .number(let value) = field.value { return value }
      }
      return 0
    }
  }
}

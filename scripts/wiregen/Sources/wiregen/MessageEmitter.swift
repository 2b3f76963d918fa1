import SwiftProtobufPluginLibrary

/// Writes one message: the value type, and its way to and from the C struct.
struct MessageEmitter {
  let message: Descriptor
  private let fields: [FieldModel]
  private let swiftType: String
  private let cType: String

  init(_ message: Descriptor) {
    self.message = message
    fields = message.fields.map(FieldModel.init)
    swiftType = SwiftNames.type(message)
    cType = CNames.type(message.fullName)
  }

  // MARK: The value type

  /// The struct with everything nested in it.
  func emitType(to out: inout CodePrinter) {
    let doc = Documentation.lines(of: message, otherwise: "The message `\(message.fullName)`.")
    out.printLines(doc)
    out.block("package struct \(SwiftNames.local(message.name)): WireMessage") { out in
      emitProperties(to: &out)
      emitInitializers(to: &out)
      for oneof in message.realOneofs { emitOneof(oneof, to: &out) }
      for nested in message.enums {
        out.print("")
        EnumEmitter(nested).emitType(to: &out)
      }
      for nested in message.messages where !nested.options.mapEntry {
        out.print("")
        MessageEmitter(nested).emitType(to: &out)
      }
    }
  }

  /// One stored property: a field of its own, or a oneof.
  private struct Property {
    let doc: [String]
    let name: String
    let type: String
    let initial: String
  }

  private var properties: [Property] {
    var seen: Set<String> = []
    return fields.compactMap { field in
      guard case .oneofMember(let oneof) = field.shape else {
        return Property(
          doc: Documentation.lines(
            of: field.descriptor, otherwise: "The field `\(field.name)`."),
          name: field.property, type: field.storage, initial: field.initial)
      }
      guard seen.insert(oneof.name).inserted else { return nil }
      return Property(
        doc: Documentation.lines(of: oneof, otherwise: "At most one of the oneof `\(oneof.name)`."),
        name: SwiftNames.property(oneof), type: SwiftNames.type(oneof) + "?", initial: "nil")
    }
  }

  private func emitProperties(to out: inout CodePrinter) {
    for property in properties {
      out.printLines(property.doc)
      out.print(
        "package var \(SwiftNames.quoted(property.name)): \(property.type) = "
          + property.initial)
      out.print("")
    }
  }

  private func emitInitializers(to out: inout CodePrinter) {
    out.print("/// Every field at its default.")
    out.print("package init() {}")
    let properties = properties
    if properties.isEmpty { return }
    out.print("")
    out.print("/// The fields given; the others at their defaults.")
    out.print("package init(")
    out.withIndentation { out in
      for (index, property) in properties.enumerated() {
        let comma = index == properties.count - 1 ? "" : ","
        out.print(
          "\(SwiftNames.quoted(property.name)): \(property.type) = "
            + property.initial + comma)
      }
    }
    out.block(")") { out in
      for property in properties {
        out.print("self.\(property.name) = \(SwiftNames.quoted(property.name))")
      }
    }
  }

  private func emitOneof(_ oneof: OneofDescriptor, to out: inout CodePrinter) {
    let members = fields(of: oneof)
    out.print("")
    out.print("/// The choices of the oneof `\(oneof.name)`.")
    out.block("package enum \(SwiftNames.type(oneof)): Sendable, Hashable") { out in
      for member in members {
        out.printLines(
          Documentation.lines(of: member.descriptor, otherwise: "The field `\(member.name)`."))
        out.print("case \(SwiftNames.quoted(member.property))(\(member.value.swift))")
      }
      out.print("")
      out.print("/// Which choice this is, as an index into the oneof's fields.")
      out.block("fileprivate var index: Int") { out in
        out.block("switch self") { out in
          for (index, member) in members.enumerated() {
            out.print("case .\(SwiftNames.quoted(member.property)): \(index)")
          }
        }
      }
    }
  }

  private func fields(of oneof: OneofDescriptor) -> [FieldModel] {
    fields.filter { field in
      if case .oneofMember(let owner) = field.shape { return owner.name == oneof.name }
      return false
    }
  }

  // MARK: To and from C

  /// The conformance: the C struct both ways, and the visit of every field.
  func emitConformance(to out: inout CodePrinter) {
    out.print("")
    out.block("extension \(swiftType)") { out in
      out.print("/// `\(message.fullName)`, as libprotobuf-c describes it.")
      out.print("package static let wireType = WireType(\(CNames.initializer(message.fullName)))")
      emitPack(to: &out)
      emitUnpack(to: &out)
      emitVisit(to: &out)
    }
    for nested in message.messages where !nested.options.mapEntry {
      MessageEmitter(nested).emitConformance(to: &out)
    }
  }

  private func emitPack(to out: inout CodePrinter) {
    out.print("")
    out.print("/// The C struct of this value, in `arena`.")
    out.block("package func pack(into arena: WireArena) -> WireCell") { out in
      out.print("let c = arena.new(\(cType).self)")
      out.print("\(CNames.initializer(message.fullName))(c)")
      for field in fields { emitPack(field, to: &out) }
      for oneof in message.realOneofs { emitPack(oneof, to: &out) }
      out.print("return WireCell(c)")
    }
  }

  private func emitPack(_ field: FieldModel, to out: inout CodePrinter) {
    let property = "self." + field.property
    switch field.shape {
    case .singular:
      out.print("\(field.member) = \(field.value.packed(property))")
    case .optional(let presence):
      out.block("if let value = \(property)") { out in
        out.print("\(field.member) = \(field.value.packed("value"))")
        if let presence { emitSelection(of: field, in: presence, to: &out) }
      }
    case .repeated:
      out.print("\(field.count) = \(property).count")
      out.print("\(field.member) = arena.\(field.value.arrayPacker)(\(property))")
    case .map(let key, let value):
      emitPackMap(field, key: FieldModel(key), value: FieldModel(value), to: &out)
    case .oneofMember:
      break
    }
  }

  private func emitSelection(
    of field: FieldModel, in oneof: OneofDescriptor, to out: inout CodePrinter
  ) {
    out.print("c.pointee.\(CNames.which(oneof)) = .init(rawValue: \(field.number))")
  }

  private func emitPackMap(
    _ field: FieldModel, key: FieldModel, value: FieldModel, to out: inout CodePrinter
  ) {
    let property = "self." + field.property
    let entry = field.descriptor.messageType.fullName
    out.print("\(field.count) = \(property).count")
    out.block("\(field.member) = arena.entries(\(property))") { out in
      out.print("(c: UnsafeMutablePointer<\(CNames.type(entry))>, key, value) in")
      out.print("\(CNames.initializer(entry))(c)")
      for (part, name) in [(key, "key"), (value, "value")] {
        out.print("\(part.member) = \(part.value.packed(name))")
        if case .message = part.value { continue }
        out.print("c.pointee._\(name)_case = .init(rawValue: \(part.number))")
      }
    }
  }

  private func emitPack(_ oneof: OneofDescriptor, to out: inout CodePrinter) {
    out.block("switch self.\(SwiftNames.property(oneof))") { out in
      for member in fields(of: oneof) {
        out.print("case .\(SwiftNames.quoted(member.property))(let value)?:")
        out.withIndentation { out in
          out.print("\(member.member) = \(member.value.packed("value"))")
          emitSelection(of: member, in: oneof, to: &out)
        }
      }
      out.print("case nil: break")
    }
  }

  private func emitUnpack(to out: inout CodePrinter) {
    out.print("")
    out.print("/// A copy of the C struct in `cell`.")
    out.print("///")
    out.print("/// - Throws: ``WireError`` if a value is not allowed, naming the field.")
    let head = "package init(unpacking cell: WireCell, with reader: WireReader) throws(WireError)"
    out.block(head) { out in
      out.print("self.init()")
      if fields.isEmpty { return }
      out.print("let c = cell.pointer(to: \(cType).self)")
      for field in fields { emitUnpack(field, to: &out) }
      for oneof in message.realOneofs { emitUnpack(oneof, to: &out) }
    }
  }

  private func emitUnpack(_ field: FieldModel, to out: inout CodePrinter) {
    let property = "self." + field.property
    switch field.shape {
    case .singular:
      out.print("\(property) = \(field.value.unpacked(field.member, name: field.name))")
    case .optional(nil):
      out.block("if let value = \(field.member)") { out in
        out.print("\(property) = \(field.value.unpacked("value", name: field.name))")
      }
    case .optional(let presence?):
      out.block("if c.pointee.\(CNames.which(presence)).rawValue == \(field.number)") { out in
        out.print("\(property) = \(field.value.unpacked(field.member, name: field.name))")
      }
    case .repeated:
      let array = field.value.unpackedArray(
        count: field.count, base: field.member, name: field.name)
      out.print("\(property) = \(array)")
    case .map(let key, let value):
      emitUnpackMap(field, key: FieldModel(key), value: FieldModel(value), to: &out)
    case .oneofMember:
      break
    }
  }

  /// An entry without a key or value means their defaults.
  private func emitUnpackMap(
    _ field: FieldModel, key: FieldModel, value: FieldModel, to out: inout CodePrinter
  ) {
    let entry = CNames.type(field.descriptor.messageType.fullName)
    out.print("self.\(field.property) = try reader.map(")
    out.print("  \(field.count), \(field.member), \"\(field.name)\",")
    out.print("  key: { (c: UnsafeMutablePointer<\(entry)>) throws(WireError) in")
    out.print("    " + key.value.unpacked(key.member, name: "key"))
    out.print("  },")
    out.print("  value: { (c: UnsafeMutablePointer<\(entry)>) throws(WireError) in")
    if case .message(let swift, _) = value.value {
      out.print("    guard let value = \(value.member) else { return \(swift)() }")
      out.print("    return " + value.value.unpacked("value", name: "value"))
    } else {
      out.print("    " + value.value.unpacked(value.member, name: "value"))
    }
    out.print("  })")
  }

  private func emitUnpack(_ oneof: OneofDescriptor, to out: inout CodePrinter) {
    out.block("switch c.pointee.\(CNames.which(oneof)).rawValue") { out in
      for member in fields(of: oneof) {
        let value = member.value.unpacked(member.member, name: member.name)
        out.print("case \(member.number):")
        out.print(
          "  self.\(SwiftNames.property(oneof)) = "
            + ".\(SwiftNames.quoted(member.property))(\(value))")
      }
      out.print("default: break")
    }
  }

  // MARK: Visiting

  private func emitVisit(to out: inout CodePrinter) {
    out.print("")
    out.print("/// Shows every field to `visitor`, in the order of the `.proto` file.")
    let head =
      "package mutating func visitFields(_ visitor: any WireFieldVisitor) throws(WireError)"
    out.block(head) { out in
      var seen: Set<String> = []
      for field in fields {
        switch field.shape {
        case .singular, .optional, .repeated, .map:
          out.print(
            "try visitor.\(visitFunction(field.shape))(\(field.identity), "
              + "&self.\(field.property))")
        case .oneofMember(let oneof):
          if seen.insert(oneof.name).inserted { emitVisit(oneof, to: &out) }
        }
      }
    }
  }

  private func visitFunction(_ shape: FieldShape) -> String {
    switch shape {
    case .singular, .oneofMember: "singular"
    case .optional: "optional"
    case .repeated: "repeated"
    case .map: "map"
    }
  }

  private func emitVisit(_ oneof: OneofDescriptor, to out: inout CodePrinter) {
    let property = "self.\(SwiftNames.property(oneof))"
    let members = fields(of: oneof)
    out.print("let \(oneof.name)Fields = [")
    for member in members { out.print("  \(member.identity),") }
    out.print("]")
    let choice =
      "try visitor.choice(\"\(oneof.name)\", of: \(oneof.name)Fields, "
      + "current: \(property)?.index)"
    out.block("switch \(choice)") { out in
      for (index, member) in members.enumerated() {
        let name = SwiftNames.quoted(member.property)
        out.print("case \(index):")
        out.print("  var member: \(member.value.swift) = \(member.value.zero)")
        out.print("  if case .\(name)(let value)? = \(property) { member = value }")
        out.print("  try visitor.member(\(oneof.name)Fields[\(index)], &member)")
        out.print("  \(property) = .\(name)(member)")
      }
      out.print("default: \(property) = nil")
    }
  }
}

import SwiftProtobufPluginLibrary

/// Writes one enum: a case a value, and `unrecognized` for numbers of a newer peer.
struct EnumEmitter {
  let enumeration: EnumDescriptor

  init(_ enumeration: EnumDescriptor) { self.enumeration = enumeration }

  private var distinct: [EnumValueDescriptor] {
    enumeration.values.filter { original(of: $0) === $0 }
  }
  private var aliases: [EnumValueDescriptor] {
    enumeration.values.filter { original(of: $0) !== $0 }
  }

  /// The first value with the same number.
  private func original(of value: EnumValueDescriptor) -> EnumValueDescriptor {
    enumeration.values.first { $0.number == value.number } ?? value
  }

  func emitType(to out: inout CodePrinter) {
    let name = SwiftNames.local(enumeration.name)
    out.printLines(
      Documentation.lines(of: enumeration, otherwise: "The enum `\(enumeration.fullName)`."))
    out.block("package enum \(name): WireEnum") { out in
      for value in distinct {
        out.printLines(Documentation.lines(of: value, otherwise: "`\(value.name)`."))
        out.print("case \(quotedCase(value))")
      }
      out.print("/// A number this version does not know; kept as it came.")
      out.print("case unrecognized(Int32)")
      for alias in aliases { emit(alias: alias, to: &out) }
      emitNames(to: &out)
      emitRawValue(to: &out)
    }
  }

  private func quotedCase(_ value: EnumValueDescriptor) -> String {
    SwiftNames.quoted(SwiftNames.enumCase(value))
  }

  private func emit(alias: EnumValueDescriptor, to out: inout CodePrinter) {
    let original = original(of: alias)
    out.print("")
    out.printLines(
      Documentation.lines(of: alias, otherwise: "Another name of `\(original.name)`."))
    out.print("package static let \(quotedCase(alias)) = Self.\(quotedCase(original))")
  }

  private func emitNames(to out: inout CodePrinter) {
    out.print("")
    out.print("/// The enum's full name in its `.proto` file.")
    out.print("package static let wireName = \"\(enumeration.fullName)\"")
    out.print("")
    out.print("/// Every value of the `.proto` file with its name there.")
    out.print("package static let named: [(value: Self, name: String)] = [")
    for value in enumeration.values {
      out.print("  (.\(quotedCase(original(of: value))), \"\(value.name)\"),")
    }
    out.print("]")
  }

  private func emitRawValue(to out: inout CodePrinter) {
    out.print("")
    out.print("/// The value with this number.")
    out.block("package init(rawValue: Int32)") { out in
      out.block("self = switch rawValue") { out in
        for value in distinct { out.print("case \(value.number): .\(quotedCase(value))") }
        out.print("default: .unrecognized(rawValue)")
      }
    }
    out.print("")
    out.print("/// The number on the wire.")
    out.block("package var rawValue: Int32") { out in
      out.block("switch self") { out in
        for value in distinct { out.print("case .\(quotedCase(value)): \(value.number)") }
        out.print("case .unrecognized(let number): number")
      }
    }
  }
}

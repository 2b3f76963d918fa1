import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The one tool behind `scripts/generate-proto`.
///
/// Without arguments it is a protoc plugin (request on stdin, response on stdout) that writes the
/// Swift side of the wire. With a verb it does one of the small passes over the descriptor set.
@main
enum WireGen {
  static let usage = """
    usage: wiregen                                  act as a protoc plugin (stdin, stdout)
           wiregen c-descriptors IN OUT             rewrite a descriptor set for protoc-gen-c
           wiregen embed IN SYMBOL OUT.h OUT.c      embed a descriptor set as a C byte array
           wiregen list IN                          print the files of a descriptor set, one a line
    """

  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("wiregen: error: \(error)\n".utf8))
      exit(1)
    }
  }

  static func run(_ arguments: [String]) throws {
    switch arguments.first {
    case nil:
      SwiftWireGenerator().main([])
    case "c-descriptors" where arguments.count == 3:
      var set = try descriptorSet(at: arguments[1])
      DescriptorsForC.rewrite(&set)
      try deterministicBytes(of: set).write(to: URL(fileURLWithPath: arguments[2]))
    case "embed" where arguments.count == 5:
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: arguments[1])))
      let embedded = EmbeddedBytes(bytes: bytes, symbol: arguments[2])
      try embedded.header.write(toFile: arguments[3], atomically: true, encoding: .utf8)
      try embedded.source(including: URL(fileURLWithPath: arguments[3]).lastPathComponent)
        .write(toFile: arguments[4], atomically: true, encoding: .utf8)
    case "list" where arguments.count == 2:
      for file in try descriptorSet(at: arguments[1]).file { print(file.name) }
    case "--help", "-h":
      print(usage)
    default:
      throw GenerationError("unknown arguments\n\(usage)")
    }
  }

  private static func descriptorSet(at path: String) throws -> Google_Protobuf_FileDescriptorSet {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    return try Google_Protobuf_FileDescriptorSet(serializedBytes: bytes)
  }

  private static func deterministicBytes(of set: Google_Protobuf_FileDescriptorSet) throws -> Data {
    var options = BinaryEncodingOptions()
    options.useDeterministicOrdering = true
    return try set.serializedData(options: options)
  }
}

/// A reason why nothing can be generated, in words for the person who edits the `.proto` files.
struct GenerationError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

import SwiftProtobufPluginLibrary

/// Doc comments: the ones of the `.proto` file, or a plain sentence where it has none.
enum Documentation {
  /// Comments of protobuf's own files are left out: they are long, not ours, and change with the
  /// version that happens to be installed.
  static func lines(
    of source: some ProvidesSourceCodeLocation & ProvidesLocationPath, otherwise fallback: String
  ) -> [String] {
    if source.file.package == "google.protobuf" { return ["/// " + fallback] }
    let comment = source.protoSourceComments(commentPrefix: "///")
    let lines = comment.split(separator: "\n").map { trimmed(String($0)) }
    return lines.isEmpty ? ["/// " + fallback] : lines
  }

  private static func trimmed(_ line: String) -> String {
    var line = line
    while line.last == " " { line.removeLast() }
    return line
  }
}

extension CodePrinter {
  /// Prints `lines`, one a line.
  mutating func printLines(_ lines: [String]) {
    for line in lines { print(line) }
  }

  /// Prints `head {`, the body one step in, and `}`.
  mutating func block(_ head: String, _ body: (inout CodePrinter) -> Void) {
    print(head + " {")
    withIndentation(body: body)
    print("}")
  }
}

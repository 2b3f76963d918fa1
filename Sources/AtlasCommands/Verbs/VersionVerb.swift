import ArgumentParser
import AtlasModel
import AtlasWire

/// `atlas version`
struct VersionVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "version",
    abstract: "The version of this program.",
    discussion: """
        atlas version
        atlas version -o json
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions

  func run(with console: Console) async throws {
    let document = JSONValue.members([
      "version": .string(AtlasVersion.text), "api": .string("atlas.v1"),
    ])
    try console.show(
      Presentation(.value(document), names: [AtlasVersion.text]) { _ in
        [Line("atlas \(AtlasVersion.text), API atlas.v1")]
      }, as: global.output)
  }
}

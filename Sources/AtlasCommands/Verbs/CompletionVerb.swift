import ArgumentParser

/// The shells that can complete.
enum ShellArgument: String, CaseIterable, ExpressibleByArgument, Sendable {
  case bash, zsh, fish

  var shell: CompletionShell {
    switch self {
    case .bash: .bash
    case .zsh: .zsh
    case .fish: .fish
    }
  }
}

/// `atlas completion`
struct CompletionVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "completion",
    abstract: "The completion script of a shell: bash, zsh or fish.",
    discussion: """
        source <(atlas completion bash)
        atlas completion zsh > ~/.zfunc/_atlas
        atlas completion fish > ~/.config/fish/completions/atlas.fish
      """)

  @OptionGroup(title: "Global options") var global: GlobalOptions
  @Argument(help: "bash, zsh or fish.") var shell: ShellArgument

  func run(with console: Console) async throws {
    try console.print(AtlasCommand.completionScript(for: shell.shell))
  }
}

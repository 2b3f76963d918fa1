import AtlasCommands
import Glibc

/// The command line of Atlas: `atlas`.
@main
enum Atlas {
  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let status = await Program.run(arguments, with: .ofProcess())
    exit(status.rawValue)
  }
}

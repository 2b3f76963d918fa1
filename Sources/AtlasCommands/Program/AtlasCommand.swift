import ArgumentParser
import AtlasModel

/// The root of the command tree.
struct AtlasCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "atlas",
    abstract: "Patches whole fleets, one server of a client at a time, all clients at once.",
    discussion: """
      A first look:      atlas status
      Follow a campaign: atlas watch
      Stop everything:   atlas stop

      The daemon's address comes from --address, ATLAS_ADDRESS, the context in use, or is \
      127.0.0.1:7443.

      Exit codes: 0 ok, 1 error, 2 campaign failed or stopped, 4 not allowed, 5 refused by a \
      guard, 6 timeout, 7 unreachable, 64 usage.
      """,
    version: "atlas \(AtlasVersion.text)",
    groupedSubcommands: [
      CommandGroup(
        name: "Look",
        subcommands: [
          StatusVerb.self, WatchVerb.self, TopVerb.self, DoctorVerb.self,
        ]),
      CommandGroup(name: "Emergency", subcommands: [StopNoun.self]),
      CommandGroup(
        name: "Work",
        subcommands: [
          CampaignNoun.self, ClientNoun.self, ServerNoun.self, FleetNoun.self,
        ]),
      CommandGroup(
        name: "Inside", subcommands: [HookNoun.self, MetricsNoun.self, AuditNoun.self]),
      CommandGroup(
        name: "Program",
        subcommands: [
          ContextNoun.self, VersionVerb.self, CompletionVerb.self,
        ]),
    ])

  @OptionGroup(title: "Global options") var global: GlobalOptions
}

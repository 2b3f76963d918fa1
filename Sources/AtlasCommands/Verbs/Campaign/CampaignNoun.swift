import ArgumentParser

/// `atlas campaign …`
struct CampaignNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "campaign",
    abstract: "Make, run and end campaigns.",
    discussion: """
      The usual way of one:
        atlas campaign create november -f policy.yaml --cut-off 2026-11-14
        atlas campaign plan november
        atlas campaign start november
        atlas watch november
        atlas campaign report november
      """,
    groupedSubcommands: [
      CommandGroup(
        name: "Life",
        subcommands: [
          CampaignCreate.self, CampaignPlan.self, CampaignPreflight.self, CampaignStart.self,
          CampaignEdit.self, CampaignPause.self, CampaignResume.self, CampaignCancel.self,
        ]),
      CommandGroup(
        name: "Look",
        subcommands: [
          CampaignList.self, CampaignGet.self, CampaignRings.self, CampaignRuns.self,
          CampaignEvents.self, CampaignWait.self, CampaignEstimates.self, CampaignReport.self,
        ]),
      CommandGroup(
        name: "Decide",
        subcommands: [
          CampaignPromote.self, CampaignClaim.self, CampaignResolve.self, CampaignRetry.self,
          CampaignSkip.self, CampaignApprove.self, CampaignExcludeUpdate.self, CampaignKinds.self,
          CampaignRelease.self, CampaignWaive.self,
        ]),
    ])
}

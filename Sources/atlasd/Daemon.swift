import AtlasCalendar
import AtlasControl
import AtlasEngine
import AtlasEvidenceFile
import AtlasHooks
import AtlasModel
import AtlasRuntime
import AtlasServer
import AtlasStore
import AtlasStoreSQLite
import AtlasWire
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import Logging
import ServiceLifecycle

/// Puts the concrete parts together, and runs them until a signal ends them.
struct Daemon {
  private let options: DaemonOptions
  private let portFile: String?
  private let logger = Logger(label: "atlasd")

  init(options: DaemonOptions, portFile: String?) {
    self.options = options
    self.portFile = portFile
  }

  func run() async throws {
    OpenFileLimit.raise(logger)
    let store = try openStore()
    let stored = try await load(store)
    let clock = try clock(for: stored.meta)
    let machine = try machine(stored)
    let hooks = DaemonHooks(options: options, store: store, clock: clock)
    logger.info(
      "starting",
      metadata: [
        "version": "\(AtlasVersion.text)", "data": "\(options.dataDirectory)",
        "demo": "\(options.demoFactor)", "records": "\(stored.meta?.lastSeq ?? 0)",
      ])
    let served: Result<Void, any Error>
    do {
      served = .success(try await serve(machine, store, hooks, clock))
    } catch {
      served = .failure(error)
    }
    // Whatever it was that ended it.
    try await hooks.shutdown()
    if case .success = served {
      try await store.close()
      logger.info("stopped")
    }
    try served.get()
  }

  /// Serves until a signal ends it, or it cannot go on.
  private func serve(
    _ machine: ControlMachine, _ store: SQLiteStore, _ hooks: DaemonHooks, _ clock: CampaignClock
  ) async throws {
    let revision = try await hooks.open(pinned: machine.pinnedHookRevisions, logger: logger)
    let pump = ControlPump(
      machine: machine, store: store, hooks: hooks.port, clock: clock,
      firstWindow: firstWindow(machine), logger: logger)
    pump.hooksLoaded(revision: revision)
    let server = try GRPCDaemonServer(
      options: options,
      services: services(
        ServiceCore(
          pump: pump, store: store,
          evidence: DaemonEvidence(
            file: EvidenceKeyFile(directory: options.dataDirectory), hooks: hooks)), hooks),
      portFile: portFile, logger: logger)
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [
          .init(service: pump, successTerminationBehavior: .gracefullyShutdownGroup),
          .init(service: server, successTerminationBehavior: .gracefullyShutdownGroup),
        ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
  }

  private func firstWindow(_ machine: ControlMachine) -> FirstWindow {
    guard options.demoFactor > 1, options.demoStart == nil, machine.state.campaigns.isEmpty else {
      return .ignored
    }
    return machine.state.clients.isEmpty ? .awaited : .unlessOpen
  }

  private func services(
    _ core: ServiceCore, _ hooks: DaemonHooks
  ) -> [any RegistrableRPCService] {
    [
      AgentSessions(core), Audit(core), Campaigns(core), FleetStore(core),
      Hooks(core, catalog: options.hooksDirectory == nil ? nil : hooks, feed: hooks.feed),
      MetricsStreams(core), Safety(core),
    ]
  }

  private func openStore() throws -> SQLiteStore {
    var choices = SQLiteStoreOptions()
    choices.synchronousOff = SynchronousOff(environment: ProcessInfo.processInfo.environment)
    if choices.synchronousOff != nil {
      logger.critical("commits are not waited for: a power cut loses acknowledged commands")
    }
    do throws(StoreError) {
      return try SQLiteStore(directory: options.dataDirectory, options: choices)
    } catch {
      throw DaemonError.store("\(error)")
    }
  }

  private func load(_ store: SQLiteStore) async throws -> StoredState {
    do throws(StoreError) {
      return try await store.load()
    } catch {
      throw DaemonError.store("\(error)")
    }
  }

  /// The clock goes on from the last commit; a directory keeps the kind of clock it was made with.
  private func clock(for meta: StoreMeta?) throws -> CampaignClock {
    let isDemo = options.demoFactor > 1
    guard let meta else {
      return CampaignClock(factor: options.demoFactor, start: options.demoStart)
    }
    if isDemo, meta.demoFactor == 1 {
      throw DaemonError.demo(
        "\(options.dataDirectory) holds a real fleet; a rehearsal needs a directory of its own")
    }
    if !isDemo, meta.demoFactor > 1 {
      throw DaemonError.demo(
        "\(options.dataDirectory) was made by a rehearsal; go on with --demo-clock "
          + "\(meta.demoFactor), or use another directory")
    }
    let clock = CampaignClock(factor: options.demoFactor, start: meta.campaignTime)
    if !isDemo, CampaignClock.realMilliseconds + 1_000 < meta.campaignTime.milliseconds {
      logger.critical(
        "the machine's clock is behind the last commit; campaign time stands still until it is not",
        metadata: ["last_commit": "\(meta.campaignTime)"])
    }
    return clock
  }

  private func machine(_ stored: StoredState) throws -> ControlMachine {
    let factor = options.demoFactor
    let configuration = ControlMachine.Configuration(
      daemonVersion: AtlasVersion.text, demoFactor: factor,
      checkInterval: Rehearsal.checkInterval(Policy().checkInterval, factor: factor),
      hash: sha256, encode: AnswerCoding.encode,
      openings: { try WindowCalendar.openings(of: $0, from: $1, count: $2) })
    do throws(RowError) {
      return try ControlMachine(
        stored: stored, floors: Rehearsal.floors(factor: factor), configuration: configuration)
    } catch {
      throw DaemonError.rows("\(error)")
    }
  }
}

/// What evidence needs of the daemon: its key, and the hooks it keeps.
private struct DaemonEvidence: EvidenceSource {
  let file: EvidenceKeyFile
  let hooks: DaemonHooks

  func key() throws(EvidenceKeyError) -> EvidenceKey { try file.key() }
  func hookFiles(of revision: HookRevisionID) -> [HookListing.File] { hooks.files(of: revision) }
}

import AtlasHooks
import AtlasLua
import AtlasModel
import AtlasRuntime
import AtlasServer
import AtlasStore
import Logging
import NIOPosix
import Synchronization

/// The Lua hooks of the daemon: what runs them, and what their runs may reach.
final class DaemonHooks: Sendable {
  /// The lines that hooks write, for those who watch them.
  let feed = HookLogFeed()

  private let runner: LuaHookRunner
  private let http: AsyncHTTPHookClient
  private let library: HookLibrary
  private let loaded = Mutex<(revision: HookRevision, at: Instant)?>(nil)

  init(options: DaemonOptions, store: any Store, clock: CampaignClock) {
    http = AsyncHTTPHookClient(
      rules: options.hookHosts, group: MultiThreadedEventLoopGroup.singleton)
    runner = LuaHookRunner(
      ports: HookPorts(
        clock: HookCampaignClock(clock), keyValue: StoreKeyValue(store), http: http,
        log: HookLogLines(logger: Logger(label: "hook"), feed: feed)),
      sha256: { sha256($0) })
    library = HookLibrary(
      directory: options.hooksDirectory, dataDirectory: options.dataDirectory, runner: runner)
  }

  /// Loads what campaigns pinned and what the operators' directory holds.
  /// - Returns: what campaigns started from now on pin; empty without a directory.
  /// - Throws: ``DaemonError/hooks(_:)``: a daemon that would start without its operators' checks
  ///   must not start.
  func open(pinned: Set<String>, logger: Logger) async throws -> String {
    let opening: HookLibrary.Opening
    do throws(HookLibraryError) {
      opening = try await library.open(pinned: Set(pinned.map { HookRevisionID($0) }))
    } catch {
      throw DaemonError.hooks("the hooks cannot be used:\n\(error)")
    }
    for problem in opening.problems {
      logger.error("hooks need a look", metadata: ["problem": "\(problem)"])
    }
    guard let current = opening.current else { return "" }
    use(current)
    for finding in current.findings {
      logger.warning("hook finding", metadata: ["finding": "\(finding)"])
    }
    logger.info(
      "hooks loaded",
      metadata: ["revision": "\(current.id)", "files": "\(current.files.count)"])
    return current.id.text
  }

  /// What the pump runs hooks with.
  var port: any HookPort { HookGateway(runner) }

  /// Files of a revision that is loaded, by path.
  func files(of revision: HookRevisionID) -> [HookListing.File] {
    runner.revision(revision).map { HookListing.files(of: $0) } ?? []
  }

  /// Closes what hooks reached others with. Called once, when no run is left.
  func shutdown() async throws {
    feed.close()
    try await http.shutdown()
  }

  private func use(_ revision: HookRevision) {
    let now = Instant(milliseconds: CampaignClock.realMilliseconds)
    loaded.withLock { $0 = (revision, now) }
  }
}

extension DaemonHooks: HookCatalog {
  func current() async -> HookListing? {
    loaded.withLock { $0.map { HookListing($0.revision, loadedAt: $0.at) } }
  }

  func check() async throws(HookCatalogError) -> HookCheck {
    guard let directory = library.directory else {
      throw HookCatalogError("\(HookLibraryError.noDirectory)")
    }
    do throws(HookSourcesError) {
      return HookCheck(await runner.check(try HookSources(directory: directory)))
    } catch {
      throw HookCatalogError("\(error)")
    }
  }

  func reload() async throws(HookCatalogError) -> HookReload {
    do throws(HookLibraryError) {
      let revision = try await library.reload()
      use(revision)
      return HookReload(
        listing: HookListing(
          revision, loadedAt: loaded.withLock { $0?.at } ?? Instant(milliseconds: 0)),
        check: HookCheck(revision), isReloaded: true)
    } catch {
      guard case .findings(_, let findings) = error, let current = await current() else {
        throw HookCatalogError("\(error)")
      }
      let check = HookCheck(
        files: current.files.count, findings: findings.map { HookCheck.Finding($0) })
      return HookReload(listing: current, check: check, isReloaded: false)
    }
  }
}

extension HookListing {
  fileprivate init(_ revision: HookRevision, loadedAt: Instant) {
    self.init(revision: revision.id, loadedAt: loadedAt, files: Self.files(of: revision))
  }

  fileprivate static func files(of revision: HookRevision) -> [File] {
    revision.files.map { file in
      File(
        path: file.path, functions: HookPoint.allCases.filter(file.functions.contains),
        sha256: file.hash)
    }
  }
}

extension HookCheck {
  fileprivate init(_ revision: HookRevision) {
    self.init(
      files: revision.files.count, findings: revision.findings.map { Finding($0) })
  }
}

extension HookCheck.Finding {
  fileprivate init(_ finding: HookFinding) {
    self.init(
      file: finding.file, line: finding.line, message: finding.message,
      isWarning: finding.severity == .warning)
  }
}

/// The lines of hooks, among the daemon's own.
private struct HookLogLines: HookLog {
  let logger: Logger
  let feed: HookLogFeed

  func write(_ record: HookLogRecord) {
    let level: Logger.Level =
      switch record.level {
      case .debug: .debug
      case .info: .info
      case .warn: .warning
      case .error: .error
      }
    var metadata: Logger.Metadata = [
      "client": "\(record.client)", "server": "\(record.server)",
      "campaign": "\(record.campaign)", "point": "\(record.point.rawValue)",
      "run": "\(record.key)",
    ]
    for field in record.fields { metadata["field.\(field.name)"] = "\(field.value)" }
    logger.log(level: level, "\(record.message)", metadata: metadata)
    feed.publish(record)
  }
}

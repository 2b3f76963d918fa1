import AtlasHooks
import Synchronization

/// The hook revisions of a daemon: what operators wrote, checked; and what campaigns pinned, kept.
///
/// A revision is on disk, under `DATA_DIR/hooks/REVISION/`, before it becomes current, so before a
/// campaign can pin it. A daemon that starts again runs a campaign with the revision it pinned,
/// whatever became of the operators' directory meanwhile.
package final class HookLibrary: Sendable {
  /// What a daemon starts with.
  package struct Opening: Sendable {
    /// The revision that campaigns started from now on pin; nil without a hook directory.
    package let current: HookRevision?
    /// What an operator should look at. None of it keeps the daemon from running: a campaign
    /// whose revision is lost has its hooks end with ``HookError/Kind/engine``, which is never a
    /// success.
    package let problems: [HookLibraryError]
  }

  /// Where operators write their hooks; nil when the daemon was started without.
  package let directory: String?

  private let archive: HookArchive
  private let runner: LuaHookRunner
  /// Held while a revision becomes current: of two that load at once, one is wholly the last.
  private let publishing = Mutex(())

  /// - Parameters:
  ///   - directory: Where operators write their hooks. Without one, campaigns that start have no
  ///     hooks, and those that run go on with what they pinned.
  ///   - dataDirectory: The daemon's; revisions are kept under `hooks/` there.
  ///   - runner: Gets every revision that may be needed.
  package init(directory: String?, dataDirectory: String, runner: LuaHookRunner) {
    self.directory = directory
    self.runner = runner
    archive = HookArchive(directory: "\(dataDirectory)/hooks")
  }

  /// Brings back the revisions that campaigns pinned, reads the operators' directory, and removes
  /// kept revisions that nobody needs. Called once, before the first hook runs.
  ///
  /// When the directory cannot be used, the revision that was current last stays current: the
  /// daemon must come back, for its running campaigns and for the emergency stop.
  /// - Parameter pinned: Of all campaigns, ended ones too: the record names their hooks.
  /// - Throws: ``HookLibraryError`` when the directory cannot be used and never could.
  package func open(pinned: Set<HookRevisionID>) async throws(HookLibraryError) -> Opening {
    var problems: [HookLibraryError] = []
    let needed = pinned.filter { !$0.text.isEmpty }
    for id in needed.sorted(by: { $0.text < $1.text }) {
      do throws(HookLibraryError) { runner.keep(try await restored(id)) } catch {
        problems.append(error)
      }
    }
    let current = try await firstCurrent(&problems)
    do throws(HookSourcesError) {
      let last = try archive.current()
      try archive.removeAll(except: needed.union(last.map { [$0] } ?? []))
    } catch { problems.append(.storage(error)) }
    return Opening(current: current, problems: problems)
  }

  /// What the directory holds, or the revision that was current last; nil without a directory.
  private func firstCurrent(
    _ problems: inout [HookLibraryError]
  ) async throws(HookLibraryError) -> HookRevision? {
    guard directory != nil else { return nil }
    do throws(HookLibraryError) { return try await reload() } catch {
      guard let last = await lastCurrent() else { throw error }
      runner.install(last)
      problems.append(error)
      return last
    }
  }

  /// Reads and checks the operators' directory. What it holds is current from then on, for
  /// campaigns that start later; those that run go on with what they pinned.
  /// - Throws: ``HookLibraryError``; the revision that was current stays so.
  package func reload() async throws(HookLibraryError) -> HookRevision {
    guard let directory else { throw .noDirectory }
    let sources: HookSources
    do { sources = try HookSources(directory: directory) } catch { throw .unreadable(error) }
    guard !sources.files.isEmpty else { throw .empty(directory: directory) }
    let revision = await runner.check(sources)
    guard revision.isUsable else {
      throw .findings(directory: directory, revision.findings)
    }
    do throws(HookSourcesError) {
      try publishing.withLock { _ throws(HookSourcesError) in
        try archive.store(revision)
        try archive.setCurrent(revision.id)
        runner.install(revision)
      }
    } catch { throw .storage(error) }
    return revision
  }

  /// A kept revision, read from disk and checked against its id.
  private func restored(_ id: HookRevisionID) async throws(HookLibraryError) -> HookRevision {
    let path = archive.path(of: id)
    let stored: HookSources?
    do { stored = try archive.sources(of: id) } catch { throw .unreadable(error) }
    guard let stored else { throw .missing(id, path: path) }
    let revision = await runner.check(stored)
    guard revision.id == id else { throw .damaged(id, path: path) }
    guard revision.isRunnable else { throw .findings(directory: path, revision.findings) }
    return revision
  }

  private func lastCurrent() async -> HookRevision? {
    guard let id = try? archive.current() else { return nil }
    return try? await restored(id)
  }
}

/// Why hooks cannot be used.
package enum HookLibraryError: Error, Hashable, CustomStringConvertible {
  /// There is nothing to load: the daemon was started without a hook directory.
  case noDirectory
  /// A file or directory cannot be read, or is too much.
  case unreadable(HookSourcesError)
  /// There is not one hook file: most likely it is the wrong directory.
  case empty(directory: String)
  /// The check found errors; warnings are among them.
  case findings(directory: String, [HookFinding])
  /// A revision that a campaign pinned is not kept.
  case missing(HookRevisionID, path: String)
  /// The files of a kept revision are not what they were when it was pinned.
  case damaged(HookRevisionID, path: String)
  /// A revision cannot be kept.
  case storage(HookSourcesError)

  package var description: String {
    switch self {
    case .noDirectory: "the daemon was started without a hook directory; start it with --hooks DIR"
    case .unreadable(let error): "\(error)"
    case .empty(let directory):
      "\(directory): there is no hook file; it should hold default.lua, or clients/NAME.lua"
    case .findings(let directory, let findings):
      findings.map { "\(directory)/\($0)" }.joined(separator: "\n")
    case .missing(let id, let path):
      "\(path): the hook revision \(id) is not kept there, though a campaign pinned it; "
        + "bring it back from a backup of the data directory"
    case .damaged(let id, let path):
      "\(path): its files are not those of the revision \(id) that a campaign pinned; "
        + "bring them back from a backup of the data directory"
    case .storage(let error): "\(error)"
    }
  }
}

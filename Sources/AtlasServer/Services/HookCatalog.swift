import AtlasHooks
import AtlasModel

/// The hook files of the daemon, as the API lists, checks and reloads them.
package protocol HookCatalog: Sendable {
  /// What campaigns that start now pin; nil for a daemon without hooks.
  func current() async -> HookListing?
  /// Looks at the files as they are on disk now, and changes nothing.
  /// - Throws: ``HookCatalogError`` when they cannot be read.
  func check() async throws(HookCatalogError) -> HookCheck
  /// Puts the files to use as they are on disk now, unless one of them cannot be used.
  /// - Throws: ``HookCatalogError`` when they cannot be read or kept.
  func reload() async throws(HookCatalogError) -> HookReload
}

/// A revision of the hooks.
package struct HookListing: Hashable, Sendable {
  package struct File: Hashable, Sendable {
    /// Relative to the hook directory.
    package var path: String
    package var functions: [HookPoint]
    /// SHA-256 of its source, in hexadecimal.
    package var sha256: String

    package init(path: String, functions: [HookPoint], sha256: String) {
      self.path = path
      self.functions = functions
      self.sha256 = sha256
    }
  }

  package var revision: HookRevisionID
  /// Real time.
  package var loadedAt: Instant
  /// Sorted by path.
  package var files: [File]

  package init(revision: HookRevisionID, loadedAt: Instant, files: [File]) {
    self.revision = revision
    self.loadedAt = loadedAt
    self.files = files
  }
}

/// What a look at the files found.
package struct HookCheck: Hashable, Sendable {
  package struct Finding: Hashable, Sendable {
    package var file: String
    /// Counted from 1.
    package var line: Int
    package var message: String
    /// Worth a look, and no reason not to use the files.
    package var isWarning: Bool

    package init(file: String, line: Int, message: String, isWarning: Bool) {
      self.file = file
      self.line = line
      self.message = message
      self.isWarning = isWarning
    }
  }

  package var files: Int
  package var findings: [Finding]

  package init(files: Int, findings: [Finding]) {
    self.files = files
    self.findings = findings
  }
}

/// What a reload did.
package struct HookReload: Hashable, Sendable {
  /// What is in use now, the old one when the new cannot be used.
  package var listing: HookListing
  package var check: HookCheck
  package var isReloaded: Bool

  package init(listing: HookListing, check: HookCheck, isReloaded: Bool) {
    self.listing = listing
    self.check = check
    self.isReloaded = isReloaded
  }
}

/// Why the hook files cannot be read.
package struct HookCatalogError: Error, Hashable, Sendable, CustomStringConvertible {
  package var description: String

  package init(_ description: String) { self.description = description }
}

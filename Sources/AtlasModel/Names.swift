/// A name that people give to a thing of the fleet, checked once where it enters the system.
///
/// Names are compared byte for byte and are case-sensitive. They are safe to print: no control
/// characters, no spaces, nothing a terminal, a log line or a file path would interpret.
package protocol CheckedName: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// What the name names, for messages: `client`, `server`.
  static var kind: String { get }
  /// Longest allowed name, in bytes.
  static var longest: Int { get }
  /// The name itself.
  var text: String { get }
  /// Takes a text that is known to be a valid name, such as one read back from the store.
  init(trusted text: String)
}

extension CheckedName {
  /// Checks `text`: 1 to ``longest`` ASCII letters, digits, `-`, `_` and `.`, starting with a
  /// letter or digit.
  /// - Throws: ``NameError`` saying what is wrong with it.
  package init(_ text: String) throws(NameError) {
    guard let first = text.utf8.first else {
      throw NameError(kind: Self.kind, text: text, problem: .empty)
    }
    guard text.utf8.count <= Self.longest else {
      throw NameError(kind: Self.kind, text: text, problem: .tooLong(limit: Self.longest))
    }
    guard first.isLetterOrDigit, text.utf8.allSatisfy({ $0.isNameByte }) else {
      throw NameError(kind: Self.kind, text: text, problem: .characters)
    }
    self.init(trusted: text)
  }

  package var description: String { text }

  package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

/// Why a text is not a name.
package struct NameError: Error, Equatable, CustomStringConvertible {
  package enum Problem: Equatable, Sendable {
    case empty
    case tooLong(limit: Int)
    case characters
  }

  package let kind: String
  package let text: String
  package let problem: Problem

  package init(kind: String, text: String, problem: Problem) {
    self.kind = kind
    self.text = text
    self.problem = problem
  }

  package var description: String {
    switch problem {
    case .empty:
      "a \(kind) name is empty"
    case .tooLong(let limit):
      "the \(kind) name “\(text.prefix(40))…” is longer than \(limit) characters"
    case .characters:
      "“\(text)” is not a \(kind) name: use letters, digits, “-”, “_” and “.”, "
        + "starting with a letter or digit"
    }
  }
}

/// A customer company; the unit of isolation and of locking.
package struct ClientName: CheckedName {
  package static let kind = "client"
  package static let longest = 64
  package let text: String
  package init(trusted text: String) { self.text = text }
}

/// A server, by its host name. Unique in the whole fleet.
package struct ServerName: CheckedName {
  package static let kind = "server"
  package static let longest = 253
  package let text: String
  package init(trusted text: String) { self.text = text }
}

/// A campaign, by the name its author gave it. Never used twice.
package struct CampaignName: CheckedName {
  package static let kind = "campaign"
  package static let longest = 64
  package let text: String
  package init(trusted text: String) { self.text = text }
}

/// A location of a client, parsed from host names or given explicitly.
package struct SiteName: CheckedName {
  package static let kind = "site"
  package static let longest = 64
  package let text: String
  package init(trusted text: String) { self.text = text }
}

/// What a server is for: `DC`, `SQL`, `WEB`. A server has a set of them.
package struct Role: CheckedName {
  package static let kind = "role"
  package static let longest = 32
  package let text: String
  package init(trusted text: String) { self.text = text }
}

/// Something that servers share, such as a datastore or a backup proxy.
package struct ResourceName: CheckedName {
  package static let kind = "resource"
  package static let longest = 64
  package let text: String
  package init(trusted text: String) { self.text = text }
}

/// A word that people put on servers to select them by.
package struct Tag: CheckedName {
  package static let kind = "tag"
  package static let longest = 64
  package let text: String
  package init(trusted text: String) { self.text = text }
}

/// Servers of one client of which no two may be down at once, such as the nodes of a cluster.
package struct GroupName: CheckedName {
  package static let kind = "group"
  package static let longest = 64
  package let text: String
  package init(trusted text: String) { self.text = text }
}

/// An update as the update source names it: a KB number, a package, a class of updates.
package struct UpdateID: CheckedName {
  package static let kind = "update"
  package static let longest = 128
  package let text: String
  package init(trusted text: String) { self.text = text }
}

extension UInt8 {
  fileprivate var isLetterOrDigit: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    case _:
      false
    }
  }

  fileprivate var isNameByte: Bool {
    isLetterOrDigit || self == UInt8(ascii: "-") || self == UInt8(ascii: "_")
      || self == UInt8(ascii: ".")
  }
}

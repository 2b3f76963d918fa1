/// What a host call does to the world.
package enum HookEffect: String, Hashable, Sendable {
  /// Changes nothing outside this run; happens in a dry run too.
  case read
  /// Changes something; a dry run only logs it.
  case write
  /// Depends on the HTTP method: GET and HEAD read, all others write.
  case method
}

/// An argument of a host call.
package struct HookArgument: Hashable, Sendable {
  /// What it may be. The raw value is the letter by which the C library knows it.
  package enum Kind: Character, Hashable, Sendable {
    case text = "s"
    case number = "n"
    case boolean = "b"
    case table = "t"
    case any = "v"
    /// Any value; it reaches the host as JSON text.
    case json = "j"
    /// A URL, or a table of options whose member `json` reaches the host as JSON text.
    case request = "u"
  }

  package var name: String
  package var kind: Kind
  package var optional: Bool

  package init(_ name: String, _ kind: Kind, optional: Bool = false) {
    self.name = name
    self.kind = kind
    self.optional = optional
  }
}

/// The functions of the host that a script can call.
///
/// This is the one table of them: dispatch, argument checks, the audit's counts, dry runs and the
/// reference page come from it. The raw value is the name in Lua.
package enum HookCall: String, CaseIterable, Hashable, Sendable {
  case ok
  case skip
  case deferred = "defer"
  case fail
  case require
  case waitUntil = "wait_until"
  case sleep
  case timeNow = "time.now"
  case httpGet = "http.get"
  case httpPost = "http.post"
  case httpRequest = "http.request"
  case backup
  case snapshot
  case keyValueGet = "kv.get"
  case keyValueSet = "kv.set"
  case keyValueCompareAndSet = "kv.cas"
  case keyValueDelete = "kv.delete"
  case logDebug = "log.debug"
  case logInfo = "log.info"
  case logWarn = "log.warn"
  case logError = "log.error"
}

extension HookCall: Comparable {
  /// What it does to the world.
  package var effect: HookEffect {
    switch self {
    case .ok, .skip, .deferred, .fail, .require, .waitUntil, .sleep, .timeNow, .httpGet, .backup,
      .snapshot, .keyValueGet, .logDebug, .logInfo, .logWarn, .logError:
      .read
    case .httpPost, .keyValueSet, .keyValueCompareAndSet, .keyValueDelete:
      .write
    case .httpRequest:
      .method
    }
  }

  /// Its arguments, in order. `wait_until` checks its options itself, as one is a function.
  package var arguments: [HookArgument] {
    switch self {
    case .ok: [.init("message", .text, optional: true), .init("data", .json, optional: true)]
    case .skip: [.init("message", .text)]
    case .deferred: [.init("options", .table)]
    case .fail: [.init("message", .text), .init("options", .table, optional: true)]
    case .require: [.init("name", .text)]
    case .waitUntil: [.init("options", .table)]
    case .sleep: [.init("seconds", .number)]
    case .timeNow: []
    case .httpGet, .httpPost: [.init("request", .request)]
    case .httpRequest: [.init("request", .request)]
    case .backup, .snapshot: [.init("fact", .table)]
    case .keyValueGet, .keyValueDelete: [.init("key", .text)]
    case .keyValueSet: [.init("key", .text), .init("value", .json)]
    case .keyValueCompareAndSet:
      [.init("key", .text), .init("expected", .json, optional: true), .init("value", .json)]
    case .logDebug, .logInfo, .logWarn, .logError:
      [.init("message", .text), .init("fields", .table, optional: true)]
    }
  }

  /// One line for people.
  package var summary: String {
    switch self {
    case .ok: "Ends the hook: satisfied. The data is kept with the run."
    case .skip: "Ends pre_update: this server is left out of the campaign."
    case .deferred: "Ends pre_update or verify_backup: not now. Options: after (seconds), reason."
    case .fail: "Ends the hook: no. Options: retryable (false)."
    case .require: "Returns what a module under lib/ returns, such as require \"lib.backup_api\"."
    case .waitUntil:
      "Calls fn every so many seconds until it returns something true, which it returns; after "
        + "timeout seconds nil and an error. Options: every, timeout, what, fn."
    case .sleep: "Waits, in campaign time."
    case .timeNow: "Campaign time, in seconds since 1970."
    case .httpGet:
      "Fetches a URL. Options: url, headers, timeout (seconds of real time), retries. Returns "
        + "{status, headers, body, json()}; a status that is not 2xx is not an error."
    case .httpPost: "Posts. Options as http.get, and json (any value) or body (text)."
    case .httpRequest: "Any request. Options as http.post, and method."
    case .backup:
      "Records a backup of this server: source, taken_at, verified_at, restore_tested_at, "
        + "last_job_at (when the newest backup job of the server ran)."
    case .snapshot: "Records the snapshot of this run: id, taken_at (now)."
    case .keyValueGet: "What this client's hooks stored under the key, or nil."
    case .keyValueSet: "Stores a value; it is durable when this returns."
    case .keyValueCompareAndSet:
      "Stores a value if the expected one is there (nil: none); returns whether it did."
    case .keyValueDelete: "Forgets what is stored under the key."
    case .logDebug, .logInfo, .logWarn, .logError: "Logs a line, with fields."
    }
  }

  /// The arguments as the C library takes them: a letter each, a capital for an optional one.
  package var argumentLetters: String {
    String(
      arguments.flatMap { argument in
        let letter = String(argument.kind.rawValue)
        return argument.optional ? letter.uppercased() : letter
      })
  }

  package static func < (left: HookCall, right: HookCall) -> Bool {
    left.rawValue < right.rawValue
  }
}

import AtlasModel

/// A failure of the world that a script can see and handle: it gets `nil, err` with these members.
package struct HookFault: Error, Hashable, Sendable {
  /// A short word that scripts compare, such as `timeout` or `denied`.
  package var code: String
  package var message: String
  /// Whether the same request may succeed later.
  package var retryable: Bool

  package init(code: String, message: String, retryable: Bool) {
    self.code = code
    self.message = message
    self.retryable = retryable
  }
}

/// Campaign time, as hooks see it.
package protocol HookClock: Sendable {
  func now() -> Instant
  /// Returns when campaign time is `instant`; at once if it has been.
  /// - Throws: `CancellationError` soon after the task was cancelled.
  func sleep(until instant: Instant) async throws
}

/// What the hooks of a client remember between runs. Values are JSON text.
///
/// A write has happened, durably, when it returns. Implementations keep one client's values from
/// another's, and return soon after the task was cancelled.
package protocol HookKeyValue: Sendable {
  /// - Returns: nil when nothing is stored under `key`.
  func get(client: ClientName, key: String) async throws(HookFault) -> [UInt8]?
  func set(client: ClientName, key: String, to value: [UInt8]) async throws(HookFault)
  /// Stores `value` if what is stored now equals `expected`; nil stands for nothing.
  /// - Returns: whether it was stored.
  func compareAndSet(
    client: ClientName, key: String, expected: [UInt8]?, to value: [UInt8]
  ) async throws(HookFault) -> Bool
  /// Deleting what is not there is no error.
  func delete(client: ClientName, key: String) async throws(HookFault)
}

/// An HTTP request that a hook makes.
package struct HookHTTPRequest: Hashable, Sendable {
  package struct Header: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// On whose behalf: decides which hosts may be reached.
  package var client: ClientName
  /// Upper case.
  package var method: String
  /// `http` or `https`.
  package var url: String
  package var headers: [Header]
  package var body: [UInt8]
  /// Real time for everything, retries included.
  package var timeout: Duration
  /// How often to try again after a retryable failure.
  package var retries: Int

  package init(
    client: ClientName, method: String, url: String, headers: [Header] = [], body: [UInt8] = [],
    timeout: Duration, retries: Int = 0
  ) {
    self.client = client
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeout = timeout
    self.retries = retries
  }
}

/// An answer, whatever its status: a status that is not 2xx is not a failure.
package struct HookHTTPResponse: Hashable, Sendable {
  package var status: Int
  package var headers: [HookHTTPRequest.Header]
  package var body: [UInt8]

  package init(status: Int, headers: [HookHTTPRequest.Header] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}

/// Makes HTTP requests for hooks. Redirects are not followed.
package protocol HookHTTP: Sendable {
  /// - Throws: ``HookFault`` when there is no answer; soon after the task was cancelled, too.
  func send(_ request: HookHTTPRequest) async throws(HookFault) -> HookHTTPResponse
}

/// A line that a hook logged, or that the runtime logged about it.
package struct HookLogRecord: Hashable, Sendable {
  package enum Level: String, CaseIterable, Hashable, Sendable {
    case debug, info, warn, error
  }

  package struct Field: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Campaign time.
  package var time: Instant
  package var key: String
  package var client: ClientName
  package var server: ServerName
  package var campaign: CampaignName
  package var point: HookPoint
  package var level: Level
  /// Without control characters; at most ``HookLimits/logMessage`` bytes.
  package var message: String
  /// Sorted by name.
  package var fields: [Field]

  package init(
    time: Instant, key: String, client: ClientName, server: ServerName, campaign: CampaignName,
    point: HookPoint, level: Level, message: String, fields: [Field] = []
  ) {
    self.time = time
    self.key = key
    self.client = client
    self.server = server
    self.campaign = campaign
    self.point = point
    self.level = level
    self.message = message
    self.fields = fields
  }
}

/// Where the lines of hooks go.
package protocol HookLog: Sendable {
  /// Must not block.
  func write(_ record: HookLogRecord)
}

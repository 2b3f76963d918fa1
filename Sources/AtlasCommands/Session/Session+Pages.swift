import AtlasModel
import AtlasWire
import GRPCCore

/// A request for one page of a list.
protocol PageRequest: WireMessage {
  associatedtype Page: ResponsePage
  var pageSize: Int32 { get set }
  var pageToken: String { get set }
}

/// One page of a list.
protocol ResponsePage: WireMessage {
  associatedtype Row: WireMessage
  var rows: [Row] { get set }
  /// Empty on the last page.
  var nextPageToken: String { get set }
}

extension Session {
  /// Whole pages until there are no more, or `limit` rows; as one response. Its token is that of
  /// the next row when the limit left some out.
  ///
  /// A page that does not fit into a message is asked for again in smaller pieces.
  ///
  /// - Throws: ``Failure``.
  func readPages<Request: PageRequest>(
    _ method: Method<Request, Request.Page>, _ request: Request, limit: Int = .max
  ) async throws -> Request.Page {
    var request = request
    var all = Request.Page()
    var size = CommandLimits.page
    while true {
      request.pageSize = Int32(min(size, limit - all.rows.count))
      do {
        let page = try await retrying(
          within: callTimeout, patience: CommandLimits.patienceOfReads
        ) { [request] metadata, options in try await method(request, metadata, options) }
        all.rows += page.rows
        all.nextPageToken = page.nextPageToken
        request.pageToken = page.nextPageToken
      } catch let error as RPCError {
        guard error.code == .resourceExhausted, size > CommandLimits.smallestPage else {
          throw Failure(error, at: site(timeout: callTimeout))
        }
        size /= 2
        continue
      }
      if all.nextPageToken.isEmpty || all.rows.count >= limit { return all }
    }
  }
}

extension Session {
  /// Tells a person that a limit left something out.
  /// - Parameter token: Of the next page; empty when there is none.
  func hintAtMore(_ token: String) {
    guard !token.isEmpty, options.output.isText else { return }
    console.hint("there are more; --limit N shows them")
  }
}

extension AtlasV1.ListCampaignsRequest: PageRequest {
  typealias Page = AtlasV1.ListCampaignsResponse
}
extension AtlasV1.ListCampaignsResponse: ResponsePage {
  var rows: [AtlasV1.Campaign] {
    get { campaigns }
    set { campaigns = newValue }
  }
}

extension AtlasV1.ListServerRunsRequest: PageRequest {
  typealias Page = AtlasV1.ListServerRunsResponse
}
extension AtlasV1.ListServerRunsResponse: ResponsePage {
  var rows: [AtlasV1.ServerRun] {
    get { runs }
    set { runs = newValue }
  }
}

extension AtlasV1.ListClientsRequest: PageRequest {
  typealias Page = AtlasV1.ListClientsResponse
}
extension AtlasV1.ListClientsResponse: ResponsePage {
  var rows: [AtlasV1.ClientInfo] {
    get { clients }
    set { clients = newValue }
  }
}

extension AtlasV1.ListServersRequest: PageRequest {
  typealias Page = AtlasV1.ListServersResponse
}
extension AtlasV1.ListServersResponse: ResponsePage {
  var rows: [AtlasV1.ServerInfo] {
    get { servers }
    set { servers = newValue }
  }
}

extension AtlasV1.ListHookRunsRequest: PageRequest {
  typealias Page = AtlasV1.ListHookRunsResponse
}
extension AtlasV1.ListHookRunsResponse: ResponsePage {
  var rows: [AtlasV1.HookRun] {
    get { hookRuns }
    set { hookRuns = newValue }
  }
}

extension AtlasV1.ListAuditRecordsRequest: PageRequest {
  typealias Page = AtlasV1.ListAuditRecordsResponse
}
extension AtlasV1.ListAuditRecordsResponse: ResponsePage {
  var rows: [AtlasV1.Record] {
    get { records }
    set { records = newValue }
  }
}

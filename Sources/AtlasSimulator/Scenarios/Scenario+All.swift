extension Scenario {
  /// All situations of ENGINE.md §14.
  package static let all: [Scenario] =
    ofLanes + ofServers + ofWindows + ofTheEnvironment + ofPeople + ofStops + ofTheDaemon
}

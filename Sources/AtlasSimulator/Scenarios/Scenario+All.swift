extension Scenario {
  /// All situations of engine.md §14, and a few beside them.
  package static let all: [Scenario] =
    ofLanes + ofServers + ofWindows + ofTheEnvironment + ofPeople + ofStops + ofTheDaemon
}

import AtlasModel
import Testing

@testable import AtlasFleetImport

@Suite("The three lists of the field")
struct FieldListTests {
  @Test("rows are written in the field's columns, as CSV and as JSON")
  func writes() {
    let orchestration = [
      OrchestrationRow(
        clientName: "LAA", siteName: "PARIS", serverName: "LAA-PARIS-DC01", updateOrder: 9,
        updateStatus: .failed, updateStartTime: Instant(milliseconds: 1_797_786_000_000),
        updateLocked: true, lastError: "said \"no\", twice")
    ]
    #expect(
      FleetExport.csv(orchestration)
        == "ClientName,SiteName,ServerName,UpdateOrder,UpdateStatus,UpdateStartTime,UpdateEndTime,"
        + "UpdateLocked,LastError\n"
        + "LAA,PARIS,LAA-PARIS-DC01,9,Failed,2026-12-20T17:00:00Z,,True,\"said \"\"no\"\", twice\"\n"
    )
    #expect(
      FleetExport.json(orchestration)
        == "[\n  {\"ClientName\": \"LAA\", \"SiteName\": \"PARIS\", "
        + "\"ServerName\": \"LAA-PARIS-DC01\", \"UpdateOrder\": 9, \"UpdateStatus\": \"Failed\", "
        + "\"UpdateStartTime\": \"2026-12-20T17:00:00Z\", \"UpdateEndTime\": null, "
        + "\"UpdateLocked\": true, \"LastError\": \"said \\\"no\\\", twice\"}\n]\n")
    let rings = [
      GlobalStatusRow(ringName: "own", status: .active, serversTotal: 20, serversCompleted: 3)
    ]
    #expect(
      FleetExport.csv(rings)
        == "RingName,Status,ServersTotal,ServersCompleted,StartTime,CompletionTime\n"
        + "own,Active,20,3,,\n")
    #expect(FleetExport.json([GlobalStatusRow]()) == "[]\n")
  }

  @Test("a client's row has its zone behind every window that names none")
  func clientRow() {
    let client = ClientConfig(
      name: "LAA", zone: "Europe/Paris",
      windows: [
        MaintenanceWindow(rule: "Sat 22:00-06:00; Sun 22:00-04:00 UTC"),
        MaintenanceWindow(rule: "RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22 DURATION:PT8H"),
      ],
      maxParallelServers: 2, priority: 7,
      contacts: [Contact(email: "a@b"), Contact(email: "c@d")])
    #expect(
      FleetExport.csv([ClientConfigRow(client)])
        == "ClientName,MaintenanceWindow,MaxParallelServers,Priority,ContactEmail\n"
        + "LAA,\"Sat 22:00-06:00 Europe/Paris | Sun 22:00-04:00 UTC | "
        + "RRULE:FREQ=WEEKLY;BYDAY=SA;BYHOUR=22 DURATION:PT8H Europe/Paris\",2,7,\"a@b;c@d\"\n")
  }

  @Test("the Orchestration list is a list of servers; its states are left, its locks warned about")
  func readsOrchestration() {
    let rows = [
      OrchestrationRow(
        clientName: "LAA", siteName: "PARIS", serverName: "LAA-PARIS-DC01", updateOrder: 4,
        updateStatus: .inProgress, updateLocked: true),
      OrchestrationRow(clientName: "LAA", siteName: "LYON", serverName: "LAA-LYON-WEB01"),
    ]
    for text in [
      FleetExport.csv(rows), FleetExport.json(rows),
      "{\"Orchestration\": \(FleetExport.json(rows))}",
    ] {
      let result = read(("list", text))
      #expect(result.diagnostics.map(\.severity) == [.warning])
      #expect(result.diagnostics[0].hint == "lock it with a reason: atlas server lock")
      #expect(result.fleet.servers.map(\.updateOrder) == [nil, 4, nil])
      #expect(result.fleet.servers[0].roles == ["WEB"])
    }
  }

  @Test("the ClientConfig list changes clients, and takes the zone from behind the window")
  func readsClientConfig() {
    let rows = [
      ClientConfigRow(
        clientName: "LAA", maintenanceWindow: "Sun 22:00-06:00", maxParallelServers: 2,
        priority: 9, contactEmail: "it@laa.example; cio@laa.example"),
      ClientConfigRow(
        clientName: "ZED", maintenanceWindow: "Saturday 22:00-06:00 Europe/Rome",
        maxParallelServers: 1, priority: 1, contactEmail: ""),
    ]
    for text in [FleetExport.csv(rows), FleetExport.json(rows)] {
      let result = read(("list", text))
      #expect(result.diagnostics.map(\.description) == [])
      let laa = result.fleet.clients[0]
      #expect(laa.windows == [MaintenanceWindow(rule: "Sun 22:00-06:00")])
      #expect(laa.zone == "Europe/Paris")
      #expect(laa.maxParallelServers == 2)
      #expect(laa.priority == 9)
      #expect(laa.contacts.map(\.email) == ["it@laa.example", "cio@laa.example"])
      let zed = result.fleet.clients[2]
      #expect(zed.zone == "Europe/Rome")
      #expect(zed.contacts == [])
    }
  }

  @Test(
    "a row of clients that is wrong refuses its client",
    arguments: [
      ("ClientName,Priority\nLAA,0\n", "Priority: 0 is out of range"),
      ("ClientName,MaintenanceWindow\nLAA,Sta 22:00-06:00\n", "did you mean Sat?"),
      ("ClientName,ContactEmail\nLAA,nobody\n", "“nobody” is not an e-mail address"),
      ("ClientName,MaxParallelServers,Zone\nLAA,1\n", "the row has 2 cells, the header has 3"),
      ("clientname,Ring\nLAA,pilotz\n", "did you mean pilot?"),
    ])
  func badClientRows(text: String, expected: String) {
    let result = read(("list.csv", text))
    #expect(result.diagnostics.count == 1)
    #expect(result.diagnostics[0].description.contains(expected), "\(result.diagnostics)")
    #expect(result.refusedClients == ["LAA"])
    #expect(result.fleet == smallFleet())
  }

  @Test("the GlobalStatus list names rings by digit, by usual name, or by place")
  func readsGlobalStatus() {
    let names = { (text: String) in read(("list.csv", "RingName,Status\n\(text)")).fleet.ringNames }
    let expected = [
      RingName(ring: .canary, name: "Ring 0 (own)"), RingName(ring: .standard, name: "standard"),
      RingName(ring: .pilot, name: "early birds"),
    ].sorted { $0.ring < $1.ring }
    #expect(
      names("Ring 0 (own),Active\nearly birds,Waiting\nStandard,Waiting\n").map(\.ring.number) == [
        0, 1, 2,
      ])
    #expect(names("standard,Active\nearly birds,Waiting\nRing 0 (own),Waiting\n") == expected)
    let result = read(("list.csv", "RingName\nRing 1\nRing 1b\n"))
    #expect(
      result.diagnostics[0].message == "ring 1 is “Ring 1b” here and “Ring 1” in list.csv line 2")
    #expect(result.fleet == smallFleet())
  }
}

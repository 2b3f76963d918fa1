// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error), .swiftLanguageMode(.v6)]

/// A library target of ours.
func library(
  _ name: String, _ dependencies: [Target.Dependency] = []
) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The tests of a target of ours.
func tests(
  of name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: [.target(name: name)] + dependencies, exclude: exclude,
    swiftSettings: strict)
}

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let grpcCore = Target.Dependency.product(name: "GRPCCore", package: "grpc-swift-2")
let grdbSQLite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let grpcInProcess = Target.Dependency.product(
  name: "GRPCInProcessTransport", package: "grpc-swift-2")
let grpcTransport = Target.Dependency.product(
  name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logTesting = Target.Dependency.product(name: "InMemoryLogging", package: "swift-log")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
  name: "atlas",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
    .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
    .package(url: "https://github.com/grpc/grpc-swift-2.git", from: "2.4.0"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport.git", from: "2.9.0"),
    .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.0"),
    .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
  ],
  targets: [
    // Libraries of Debian, and C that wraps them.
    .systemLibrary(
      name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
    .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
    .target(name: "CAtlasProto", dependencies: ["CProtobufC"]),
    .target(name: "CAtlasLua", dependencies: ["CLua"]),

    // The heart: values, pure machines, and where they are kept.
    library("AtlasModel"),
    library("AtlasEngine", ["AtlasModel", heap]),
    library("AtlasAgent", ["AtlasModel"]),
    library("AtlasStore", ["AtlasModel"]),
    library("AtlasHooks", ["AtlasModel"]),
    library("AtlasEvidence", ["AtlasModel", "AtlasStore"]),
    library(
      "AtlasControl", ["AtlasModel", "AtlasEngine", "AtlasStore", "AtlasEvidence", heap]),

    // The proof: the machines above in a simulated world, and a checker that shares no code with
    // them.
    library("AtlasChecker"),
    library(
      "AtlasSimulator",
      [
        "AtlasModel", "AtlasEngine", "AtlasAgent", "AtlasStore", "AtlasControl", "AtlasCalendar",
        "AtlasChecker", heap,
      ]),

    // What surrounds it.
    library("AtlasCalendar", ["AtlasModel"]),
    library("AtlasFleetImport", ["AtlasModel", "AtlasCalendar", yams]),
    library("AtlasStoreSQLite", ["AtlasModel", "AtlasStore", grdb, grdbSQLite]),
    library(
      "AtlasLua",
      ["AtlasModel", "AtlasHooks", "CAtlasLua", httpClient, nio, nioHTTP1, nioPosix]),
    library(
      "AtlasRuntime",
      [
        "AtlasModel", "AtlasEngine", "AtlasStore", "AtlasHooks", "AtlasControl",
        "AtlasCalendar", lifecycle, logging,
      ]),
    library("AtlasWire", ["AtlasModel", "CAtlasProto", "CProtobufC", grpcCore]),
    library(
      "AtlasEvidenceFile", ["AtlasModel", "AtlasStore", "AtlasEvidence", "AtlasWire", crypto]),
    library(
      "AtlasServer",
      [
        "AtlasModel", "AtlasEngine", "AtlasStore", "AtlasHooks", "AtlasControl", "AtlasRuntime",
        "AtlasEvidence", "AtlasEvidenceFile", "AtlasFleetImport", "AtlasCalendar", "AtlasWire",
        crypto, grpcCore, grpcTransport,
        lifecycle, logging, nio, nioPosix,
      ]),
    library(
      "AtlasAgentKit",
      ["AtlasModel", "AtlasAgent", "AtlasWire", grpcCore, grpcTransport, logging, nio]),
    library(
      "AtlasCommands",
      ["AtlasModel", "AtlasEvidenceFile", "AtlasWire", argumentParser, grpcCore, grpcTransport]),

    // Programs: the only places where concrete parts are put together.
    .executableTarget(
      name: "atlasd",
      dependencies: [
        "AtlasModel", "AtlasEngine", "AtlasStore", "AtlasControl", "AtlasCalendar",
        "AtlasRuntime", "AtlasServer", "AtlasStoreSQLite", "AtlasHooks", "AtlasLua", "AtlasWire",
        "AtlasEvidenceFile", argumentParser, grpcCore, grpcTransport, lifecycle, logging, nioPosix,
      ],
      swiftSettings: strict),
    .executableTarget(name: "atlas", dependencies: ["AtlasCommands"], swiftSettings: strict),
    .executableTarget(
      name: "atlas-sim", dependencies: ["AtlasModel", "AtlasSimulator", argumentParser],
      swiftSettings: strict),
    .executableTarget(
      name: "atlas-bench",
      dependencies: [
        "AtlasModel", "AtlasEngine", "AtlasStore", "AtlasStoreSQLite", "AtlasControl", crypto,
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "atlas-agent",
      dependencies: [
        "AtlasAgentKit", "AtlasAgent", "AtlasModel", argumentParser, grpcCore, logging,
      ],
      swiftSettings: strict),

    // Tests.
    library("AtlasTestKit", ["AtlasModel", "AtlasEngine", "AtlasStore", "AtlasChecker"]),
    .target(
      name: "CWireFixtures", dependencies: ["CAtlasProto", "CProtobufC"],
      path: "Tests/CWireFixtures"),
    tests(of: "AtlasEngine", ["AtlasModel", "AtlasTestKit"], exclude: ["Traces"]),
    tests(of: "AtlasAgent", ["AtlasModel"]),
    tests(of: "AtlasStore", ["AtlasModel", "AtlasTestKit"]),
    tests(of: "AtlasStoreSQLite", ["AtlasModel", "AtlasStore", "AtlasTestKit", grdb]),
    tests(of: "AtlasEvidence", ["AtlasModel", "AtlasStore"]),
    tests(
      of: "AtlasEvidenceFile", ["AtlasModel", "AtlasStore", "AtlasEvidence", "AtlasWire", crypto]),
    tests(of: "AtlasControl", ["AtlasModel", "AtlasEngine", "AtlasStore", "AtlasEvidence"]),
    tests(of: "AtlasLua", ["AtlasModel", "AtlasHooks", nio, nioHTTP1, nioPosix]),
    tests(of: "AtlasChecker"),
    tests(of: "AtlasSimulator", ["AtlasModel"], exclude: ["Seeds", "Scenarios"]),
    .testTarget(name: "AtlasSimTests", dependencies: ["atlas-sim"], swiftSettings: strict),
    tests(of: "AtlasCalendar", ["AtlasModel"]),
    tests(of: "AtlasFleetImport", ["AtlasModel", "AtlasCalendar"]),
    tests(
      of: "AtlasWire", ["CWireFixtures", "CProtobufC", grpcCore, grpcInProcess],
      exclude: ["Interop", "Fixtures"]),
    tests(
      of: "AtlasRuntime",
      [
        "AtlasModel", "AtlasEngine", "AtlasControl", "AtlasStore", "AtlasHooks", lifecycle, logging,
      ]),
    tests(
      of: "AtlasServer",
      [
        "AtlasModel", "AtlasEngine", "AtlasStore", "AtlasHooks", "AtlasControl", "AtlasRuntime",
        "AtlasWire", grpcCore, grpcTransport, grpcInProcess, lifecycle, logging, logTesting, nio,
        nioPosix, nioEmbedded,
      ]),
    tests(
      of: "AtlasAgentKit",
      ["AtlasModel", "AtlasAgent", "AtlasWire", grpcCore, grpcTransport, logging]),
    .testTarget(
      name: "IntegrationTests", dependencies: ["atlas", "atlasd", "atlas-agent"],
      exclude: ["hostile.py"],
      swiftSettings: strict),
    tests(
      of: "AtlasCommands",
      [
        "AtlasModel", "AtlasStore", "AtlasEvidence", "AtlasEvidenceFile", "AtlasWire", "atlas",
        argumentParser, grpcCore, grpcTransport, yams,
      ]),
  ]
)

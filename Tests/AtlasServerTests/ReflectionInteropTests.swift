import AtlasWire
import Foundation
import GRPCCore
import Testing

@testable import AtlasServer

/// Another implementation of gRPC, which has none of our `.proto` files, asks what there is and
/// calls it.
@Suite(.enabled(if: PythonClient.isInstalled, "needs grpcio-reflection"), .timeLimit(.minutes(10)))
struct ReflectionInteropTests {
  /// Prints, from v1alpha (which the library asks) and v1: the services; the fields of a request;
  /// what an unknown symbol gives; and what Health says, called through the descriptors alone.
  private static let script = """
    import sys, grpc
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
        ProtoReflectionDescriptorDatabase)

    channel = grpc.insecure_channel(sys.argv[1])
    database = ProtoReflectionDescriptorDatabase(channel)
    print("services", *database.get_services())

    pool = descriptor_pool.DescriptorPool(database)
    method = pool.FindServiceByName("atlas.v1.MetricsService").FindMethodByName("GetMetrics")
    print("fields", *[f.name for f in method.input_type.fields])
    try:
        pool.FindMessageTypeByName("atlas.v1.Nonsense")
    except KeyError:
        print("unknown atlas.v1.Nonsense")

    def call(service, method, fields):
        found = pool.FindServiceByName(service).FindMethodByName(method)
        request = message_factory.GetMessageClass(found.input_type)(**fields)
        response = message_factory.GetMessageClass(found.output_type)
        invoke = channel.unary_unary("/%s/%s" % (service, method),
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=response.FromString)
        return invoke(request, timeout=30)

    health = call("grpc.health.v1.Health", "Check", {})
    print("health", type(health).DESCRIPTOR.fields_by_name["status"].enum_type
        .values_by_number[health.status].name)
    try:
        call("grpc.health.v1.Health", "Check", {"service": "x.Y"})
    except grpc.RpcError as error:
        print("refused", error.code().name, error.details())

    # The same over v1, for which the library has no client: its messages are those of v1alpha.
    from grpc_reflection.v1alpha import reflection_pb2 as reflection
    ask = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=lambda m: m.SerializeToString(),
        response_deserializer=reflection.ServerReflectionResponse.FromString)
    answers = ask(iter([
        reflection.ServerReflectionRequest(list_services=""),
        reflection.ServerReflectionRequest(file_containing_symbol="grpc.health.v1.Health"),
        reflection.ServerReflectionRequest(file_by_filename="x.proto")]), timeout=30)
    print("v1 services", *[s.name for s in next(answers).list_services_response.service])
    files = next(answers).file_descriptor_response.file_descriptor_proto
    print("v1 file", descriptor_pb2.FileDescriptorProto.FromString(files[0]).name)
    print("v1 error", next(answers).error_response.error_code)
    """

  @Test func `a client without proto files finds its way`() async throws {
    let server = try TestServer([ScriptedService()])
    server.health.set(.serving)
    let lines = try await server.run { server in
      try await PythonClient.run(Self.script, arguments: [server.server.address])
    }
    let services =
      "atlas.v1.MetricsService grpc.health.v1.Health grpc.reflection.v1.ServerReflection "
      + "grpc.reflection.v1alpha.ServerReflection"
    #expect(
      lines == [
        "services \(services)", "fields campaign client details", "unknown atlas.v1.Nonsense",
        "health SERVING", "refused NOT_FOUND there is no service “x.Y”", "v1 services \(services)",
        "v1 file grpc/health/v1/health.proto", "v1 error 5",
      ])
  }
}

/// Python with `grpcio-reflection`: the virtual environment that `ATLAS_VENV` names, or `.venv` at
/// the root of the project, which `scripts/test` makes.
enum PythonClient {
  private static let python: String? = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let named = ProcessInfo.processInfo.environment["ATLAS_VENV"].map { [URL(filePath: $0)] } ?? []
    return (named + [root.appending(path: ".venv")])
      .map { $0.appending(path: "bin/python").path() }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  static let isInstalled: Bool = {
    guard let python else { return false }
    let libraries = URL(filePath: python).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "lib")
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: libraries.path())) ?? []
    return versions.contains { version in
      let package = libraries.appending(path: "\(version)/site-packages/grpc_reflection")
      return FileManager.default.fileExists(atPath: package.path())
    }
  }()

  /// Runs a script to its end.
  ///
  /// - Returns: the lines that it printed.
  static func run(_ script: String, arguments: [String]) async throws -> [String] {
    let process = Process()
    process.executableURL = URL(filePath: try #require(python))
    process.arguments = ["-c", script] + arguments
    let output = Pipe()
    process.standardOutput = output
    let (ends, end) = AsyncStream<Void>.makeStream()
    process.terminationHandler = { _ in end.finish() }
    try process.run()
    // It prints a few hundred bytes, far less than a pipe holds.
    for await _ in ends {}
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    try #require(process.terminationStatus == 0, "the script failed")
    return text.split(separator: "\n").map(String.init)
  }
}

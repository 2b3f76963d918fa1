// swift-tools-version: 6.2
import PackageDescription

// Development time only: the product never links any of this. `scripts/generate-proto` builds it.
let package = Package(
  name: "wiregen",
  dependencies: [
    .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0")
  ],
  targets: [
    .executableTarget(
      name: "wiregen",
      dependencies: [
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "SwiftProtobufPluginLibrary", package: "swift-protobuf"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error)]),
    .testTarget(
      name: "wiregenTests",
      dependencies: [
        "wiregen",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "SwiftProtobufPluginLibrary", package: "swift-protobuf"),
      ],
      swiftSettings: [.treatAllWarnings(as: .error)]),
  ]
)

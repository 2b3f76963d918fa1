/// An open enum of the API: a number that this version does not know is kept as `unrecognized`.
package protocol WireEnum: WireValue {
  /// The full name in the `.proto` file.
  static var wireName: String { get }

  /// Every value of the `.proto` file with its name there; of two names for one value the first
  /// is the one to show.
  static var named: [(value: Self, name: String)] { get }

  /// The value with this number.
  init(rawValue: Int32)

  /// The number on the wire.
  var rawValue: Int32 { get }
}

extension WireEnum {
  /// The value with this name in the `.proto` file, such as `RUN_STATE_PENDING`.
  package init?(wireName name: String) {
    guard let match = Self.named.first(where: { $0.name == name }) else { return nil }
    self = match.value
  }

  /// The name in the `.proto` file; nil if this version does not know the number.
  package var wireName: String? {
    Self.named.first { $0.value == self }?.name
  }
}

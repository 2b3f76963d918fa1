import AtlasModel
import Crypto

/// The key that a daemon signs evidence with: Ed25519, https://www.rfc-editor.org/rfc/rfc8032.
package struct EvidenceKey: Sendable {
  private let key: Curve25519.Signing.PrivateKey

  /// A new one, from the system's randomness.
  package init() { key = Curve25519.Signing.PrivateKey() }

  /// - Parameter bytes: As ``bytes`` gave them.
  /// - Throws: when they are not 32.
  package init(bytes: [UInt8]) throws {
    key = try Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
  }

  /// 32 bytes, to be kept secret.
  package var bytes: [UInt8] { [UInt8](key.rawRepresentation) }

  /// 32 bytes, for everybody.
  package var publicKey: [UInt8] { [UInt8](key.publicKey.rawRepresentation) }

  package var fingerprint: String { Self.fingerprint(of: publicKey) }

  package static let algorithm = "Ed25519"

  /// What people write down: the SHA-256 of a public key, in hexadecimal.
  package static func fingerprint(of publicKey: [UInt8]) -> String {
    hexadecimal(SHA256.hash(data: publicKey))
  }

  /// - Parameter sha256: Of all bytes before the signature, in hexadecimal.
  /// - Returns: 64 bytes.
  func signature(over sha256: String) throws -> [UInt8] {
    [UInt8](try key.signature(for: Self.message(sha256)))
  }

  static func isValid(_ signature: [UInt8], by publicKey: [UInt8], over sha256: String) -> Bool {
    guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else {
      return false
    }
    return key.isValidSignature(signature, for: message(sha256))
  }

  /// What is signed: not the file, which may be large, but what its bytes add up to, and what for.
  private static func message(_ sha256: String) -> [UInt8] {
    Array("\(EvidenceFormat.name) \(sha256)".utf8)
  }
}

/// What all parts of the file's form share.
package enum EvidenceFormat {
  package static let name = "atlas.evidence.1"
  /// Bytes of a line: as much JSON as a message of the wire may have.
  package static let longestLine = 1024 * 1024
}

/// Two small letters or digits a byte.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  for byte in bytes {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}

import Foundation
import Testing

@testable import AtlasServer

/// Certificates of nobody, for tests: an authority, a server on loopback and an agent, valid from
/// 2020 to 2120. The authority's key was thrown away.
struct TestCertificates {
  let server: TLSFiles
  let authority: String
  let agent: TLSFiles
  private let folder: TestFolder

  init() throws {
    let folder = try TestFolder()
    self.folder = folder
    authority = try folder.write(Self.authorityPEM, "ca.pem")
    server = TLSFiles(
      certificateChain: try folder.write(Self.serverPEM, "server.pem"),
      privateKey: try folder.write(Self.serverKey, "server.key"))
    agent = TLSFiles(
      certificateChain: try folder.write(Self.agentPEM, "agent.pem"),
      privateKey: try folder.write(Self.agentKey, "agent.key"))
  }

  private static let authorityPEM = """
    -----BEGIN CERTIFICATE-----
    MIIBZDCCAQugAwIBAgIUYfMQ7isO2BpBI40DXg+19QxIBFEwCgYIKoZIzj0EAwIw
    HzEdMBsGA1UEAwwUQXRsYXMgdGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAw
    WhgPMjEyMDAxMDEwMDAwMDBaMB8xHTAbBgNVBAMMFEF0bGFzIHRlc3QgYXV0aG9y
    aXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4iuBR18+c3VefZ6Axpr95CJC
    mQnYObzAsaB1/DosWMNIylBdzZ5WPvSViSUAL5qBEHJ8z/Ffhgj/DKiQbJdbp6Mj
    MCEwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwCgYIKoZIzj0EAwID
    RwAwRAIgFVmEq+/a1j1/KabBKAvYzf+hlxGu9IR368KCZLlnfz8CICMjZ9IFdwZm
    vX7x5rj5caAMqixsymeh9qu9NtuNBzum
    -----END CERTIFICATE-----
    """

  private static let serverPEM = """
    -----BEGIN CERTIFICATE-----
    MIIBZzCCAQ2gAwIBAgIUGtzeMw4rLGRbCTMmle5ZVPXJCUgwCgYIKoZIzj0EAwIw
    HzEdMBsGA1UEAwwUQXRsYXMgdGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAw
    WhgPMjEyMDAxMDEwMDAwMDBaMBExDzANBgNVBAMMBnNlcnZlcjBZMBMGByqGSM49
    AgEGCCqGSM49AwEHA0IABItLlJoYL3dAhNWwZ6/RQF57Sl5JNqxs3StQJUL0Q4hA
    kE9Fhog22ioTUCF607fg9BOadnK0H7OBlTF2wuW55WCjMzAxMBoGA1UdEQQTMBGH
    BH8AAAGCCWxvY2FsaG9zdDATBgNVHSUEDDAKBggrBgEFBQcDATAKBggqhkjOPQQD
    AgNIADBFAiEAzkGA86JqNqc31k1udAuukTB2fPj5I1/9Sgz78yaif3UCIDTrCF0r
    eZWDjGbW25xpYFlOd8eTNMcxbXommCfojsLY
    -----END CERTIFICATE-----
    """

  private static let serverKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgzDS5GfyLqgiK9TnI
    KIUr62Qal99vhYgREszlXqOFt9ihRANCAASLS5SaGC93QITVsGev0UBee0peSTas
    bN0rUCVC9EOIQJBPRYaINtoqE1AhetO34PQTmnZytB+zgZUxdsLlueVg
    -----END PRIVATE KEY-----
    """

  private static let agentPEM = """
    -----BEGIN CERTIFICATE-----
    MIIBbDCCARSgAwIBAgIUVBGut4Mop9HmOcrV84EZB+3Rc+owCgYIKoZIzj0EAwIw
    HzEdMBsGA1UEAwwUQXRsYXMgdGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAw
    WhgPMjEyMDAxMDEwMDAwMDBaMBkxFzAVBgNVBAMMDmxhYS1wYXJpcy1kYzAxMFkw
    EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeSxRriLMwAGAmIB2oKuJN9t34yIZenW7
    ycANJnrudlIuGWWSsJJ9BKFMO6oK3YU/Zb9DwicrXOAr5RWhBNarPKMyMDAwGQYD
    VR0RBBIwEIIObGFhLXBhcmlzLWRjMDEwEwYDVR0lBAwwCgYIKwYBBQUHAwIwCgYI
    KoZIzj0EAwIDRgAwQwIgXwjmNfczUE+3tt+Y/eTI6qxDVLjVpqZJhJwHyzVisUkC
    Hz3s5Z8NkBwDdVFlyoQlk11WKP8aPD3LrbQlsewsVlk=
    -----END CERTIFICATE-----
    """

  private static let agentKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5vW/JuK0QlfGe0i6
    SXjUAQ3R8GRU8fPOuW6Va7jX276hRANCAAR5LFGuIszAAYCYgHagq4k323fjIhl6
    dbvJwA0meu52Ui4ZZZKwkn0EoUw7qgrdhT9lv0PCJytc4CvlFaEE1qs8
    -----END PRIVATE KEY-----
    """
}

/// A folder of one test, removed after it.
private final class TestFolder: Sendable {
  private let path: URL

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "atlas-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: path) }

  func write(_ text: String, _ name: String) throws -> String {
    let file = path.appending(path: name)
    try Data((text + "\n").utf8).write(to: file)
    return file.path()
  }
}

/// The version of all programs of this package; they are built and released together.
package enum AtlasVersion {
  package static let text = "0.1.0"
}

// JSON objects in which an unknown key is an error, not a silence.

/// Refuses keys that nobody reads.
package enum StrictKeys {
    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Throws a `SpecificationError` if the current object of `decoder` has a key that is not `known`.
    package static func check(_ decoder: any Decoder, known: [String]) throws {
        let keys = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
        guard let unknown = keys.first(where: { !known.contains($0) }) else { return }
        throw SpecificationError(
            .setting("key"), unknown, "is unknown", remedy: Suggestion.remedy(for: unknown, in: known))
    }
}

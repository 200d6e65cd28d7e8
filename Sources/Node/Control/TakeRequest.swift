// The body of a request that gives a route another source: `{"from": "239.1.1.11:5004@eth0"}`.

public import Routing

/// A source that is asked for.
public struct TakeRequest: Hashable, Sendable, Codable {
    /// The source.
    public var from: SourceSpecification

    public init(from: SourceSpecification) { self.from = from }

    private enum CodingKeys: String, CodingKey, CaseIterable { case from }

    public init(from decoder: any Decoder) throws {
        try StrictKeys.check(decoder, known: CodingKeys.allCases.map(\.rawValue))
        from = try decoder.container(keyedBy: CodingKeys.self).decode(SourceSpecification.self, forKey: .from)
    }
}

// The body of a request that adds or replaces a leg: `{"to": "10.2.0.5:5004@eth1"}`.

public import Routing

/// A leg that is asked for.
public struct LegRequest: Hashable, Sendable, Codable {
    /// The leg.
    public var to: LegSpecification
    /// True if admission is skipped.
    public var force: Bool

    public init(to: LegSpecification, force: Bool = false) {
        self.to = to
        self.force = force
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case to, force }

    public init(from decoder: any Decoder) throws {
        try StrictKeys.check(decoder, known: CodingKeys.allCases.map(\.rawValue))
        let container = try decoder.container(keyedBy: CodingKeys.self)
        to = try container.decode(LegSpecification.self, forKey: .to)
        force = try container.decodeIfPresent(Bool.self, forKey: .force) ?? false
    }
}

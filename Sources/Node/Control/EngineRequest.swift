// The body of a request that moves a route to another engine: `{"engine": "afxdp"}`.

public import Routing

/// An engine that is asked for.
public struct EngineRequest: Hashable, Sendable, Codable {
    /// The engine.
    public var engine: RouteSpecification.Engine

    public init(engine: RouteSpecification.Engine) { self.engine = engine }

    private enum CodingKeys: String, CodingKey, CaseIterable { case engine }

    public init(from decoder: any Decoder) throws {
        try StrictKeys.check(decoder, known: CodingKeys.allCases.map(\.rawValue))
        let text = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .engine)
        engine = try RouteSpecification.Engine(text, setting: "engine")
    }
}

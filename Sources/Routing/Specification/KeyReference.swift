// A key as routes name it: `srtp=studio-b`, or `srtp=wan/cam1` for a flow of a link.

/// The name of a key, never the key itself, so that a route can be shown and saved by anybody.
public struct KeyReference: Hashable, Sendable {
    /// The key's name: the file's in the directory of keys, or one that a session has set.
    public var key: String
    /// The name of the flow that both nodes of a link use; nil for the route's name.
    public var flow: String?

    public init(key: String, flow: String? = nil) {
        self.key = key
        self.flow = flow
    }

    /// Reads `KEY` or `KEY/FLOW`.
    init(_ value: String, of text: String) throws(SpecificationError) {
        let parts = value.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        self.init(key: parts[0], flow: parts.count > 1 ? parts[1] : nil)
        for part in parts {
            do { try RouteSpecification.validate(name: part) } catch {
                throw SpecificationError(
                    .option("srtp"), value, of: text, "names no key",
                    remedy: "use the name of a key of 'crosspoint key', or KEY/FLOW for a flow of a link")
            }
        }
    }

    /// `KEY` or `KEY/FLOW`.
    public var description: String { flow.map { "\(key)/\($0)" } ?? key }
}

extension KeyReference: CustomStringConvertible {}

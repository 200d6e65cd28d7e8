// Errors of a route, a source or a leg as it was asked for, apart from any host.

/// A part of a specification that cannot be: which part, its value, why, and what to write instead.
public struct SpecificationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The part that is wrong.
    public enum Part: Hashable, Sendable {
        /// An endpoint as a whole.
        case endpoint
        /// The address of an endpoint.
        case address
        /// The UDP port of an endpoint.
        case udpPort
        /// The part behind the `@`.
        case interface
        /// A `key=value` of an endpoint; the key.
        case option(String)
        /// The name of a route.
        case name
        /// The legs of a route, taken together.
        case legs
        /// A setting of a route: `payload`, `accounting`, `clock`, `rate`.
        case setting(String)

        /// The part's name in a message.
        var text: String {
            switch self {
            case .endpoint: "endpoint"
            case .address: "address"
            case .udpPort: "UDP port"
            case .interface: "interface"
            case .option(let key): "option \(key)"
            case .name: "route name"
            case .legs: "legs"
            case .setting(let key): key
            }
        }
    }

    /// The part that is wrong.
    public var part: Part
    /// The value that it has.
    public var value: String
    /// The context of the part: the endpoint's whole text, or the name of the route. Nil if it is the value itself.
    public var context: String?
    /// The reason for which the value cannot be: `is out of range`.
    public var problem: String
    /// The action to take: `use 1 to 65535`.
    public var remedy: String

    public init(_ part: Part, _ value: String, of context: String? = nil, _ problem: String, remedy: String) {
        self.part = part
        self.value = value
        self.context = context
        self.problem = problem
        self.remedy = remedy
    }

    /// One line: `UDP port '99999' of '239.1.1.10:99999@eth0' is out of range; use 1 to 65535`.
    public var description: String {
        let owner = context.map { $0 == value ? "" : " of '\($0)'" } ?? ""
        return "\(part.text) '\(value)'\(owner) \(problem); \(remedy)"
    }
}

extension RoutingError {
    /// The refusal that goes with a specification that cannot be.
    public init(_ error: SpecificationError) { self.init(.invalid, error.description) }
}

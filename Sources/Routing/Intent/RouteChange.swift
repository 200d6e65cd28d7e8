// Changes of what is wanted. A batch of them is made as a whole, or not at all.

/// One change of the node's routes.
public enum RouteChange: Hashable, Sendable {
    /// A route of a name that is free.
    case add(RouteSpecification, owner: RouteOwner, configured: RouteSpecification? = nil)
    /// A route of a name that is taken: the parts that stay the same continue untouched.
    case replace(RouteSpecification, owner: RouteOwner? = nil, configured: RouteSpecification? = nil)
    /// A leg under the number that another one has.
    case setLeg(UInt32, of: String, to: LegSpecification)
    case remove(String)

    /// True for the removal of a route.
    public var isRemoval: Bool { if case .remove = self { true } else { false } }

    /// The name of the route that is changed.
    public var route: String {
        switch self {
        case .add(let route, _, _), .replace(let route, _, _): route.name
        case .setLeg(_, let name, _), .remove(let name): name
        }
    }
}

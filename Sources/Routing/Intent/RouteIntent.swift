// Intents for the data plane, and the state that is remembered of them.

public import FoundationEssentials

/// A route as it is wanted: the specification, who keeps it, and where it comes from.
///
/// While the host is up the running intents are the truth. The configuration file wins at a boot and on an explicit
/// reload; `configured` is the file's version when it was applied last, so that a change at run time and an edit of the
/// file can be distinguished.
public struct RouteIntent: Hashable, Sendable {
    /// Stays the same through all changes of the route.
    public var id: UUID
    public var specification: RouteSpecification
    public var owner: RouteOwner
    /// The route of the configuration file that this one follows; nil for a route that the file does not have.
    public var configured: RouteSpecification?
    /// The node's revision at which the route was changed last.
    public var revision: UInt64
    /// The person or program that changed it last, where that is known.
    public var author: String?

    public init(
        id: UUID = UUID(), specification: RouteSpecification, owner: RouteOwner, configured: RouteSpecification? = nil,
        revision: UInt64 = 0, author: String? = nil
    ) {
        self.id = id
        self.specification = specification
        self.owner = owner
        self.configured = configured
        self.revision = revision
        self.author = author
    }

    /// True where the route differs from the file's route that it follows.
    public var isChangedLive: Bool { configured.map { !specification.isSame(as: $0) } ?? false }
}

extension RouteSpecification {
    /// True where both ask for the same, in whatever order their legs are named.
    public func isSame(as other: RouteSpecification) -> Bool {
        guard legs.count == other.legs.count else { return false }
        var (one, two) = (self, other)
        if one.legs == two.legs { return one == two }
        guard Set(one.legs) == Set(two.legs) else { return false }
        (one.legs, two.legs) = ([], [])
        return one == two
    }
}

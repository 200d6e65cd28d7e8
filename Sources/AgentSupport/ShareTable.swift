// Shares of something limited that each source holds.

/// Places, or bytes, of a fixed number, of which each source gets a share and a part stays for sources that hold little.
///
/// A source that takes its whole share leaves the others theirs; several that do leave the reserve, which only goes to sources
/// that hold less than an eighth of a share. What is taken must be given back by the same source.
public struct ShareTable: Sendable {
    /// The reason for which a place was refused.
    public enum Refusal: Hashable, Sendable {
        /// The source has its share.
        case source
        /// All is taken, but for the reserve that is kept for others.
        case total
    }

    /// The amount that there is, the part of it that one source may hold, and the part that is kept for sources that hold little.
    public let limit: Int
    public let share: Int
    public let reserve: Int
    /// The amount that is taken.
    public private(set) var total = 0
    private var held: [SourceKey: Int] = [:]

    /// - Parameter reserve: Nil for an eighth of the limit.
    public init(limit: Int, share: Int, reserve: Int? = nil) {
        self.limit = limit
        self.share = share
        self.reserve = reserve ?? limit / 8
    }

    /// The part of the reserve that a source may hold.
    private var smallShare: Int { max(1, share / 8) }

    /// Takes `amount` for a source, or nothing, and says why.
    ///
    /// - Parameter isExempt: Whether neither the share nor the reserve binds the source.
    public mutating func take(_ amount: Int = 1, for source: SourceKey, isExempt: Bool = false) -> Refusal? {
        let wanted = held(by: source) + amount
        guard isExempt || wanted <= share else { return .source }
        let isSmall = isExempt || wanted <= smallShare
        guard total + amount <= (isSmall ? limit : limit - reserve) else { return .total }
        charge(amount, to: source)
        return nil
    }

    /// Notes what a source has already, whatever its share: what an earlier process gave it.
    public mutating func charge(_ amount: Int = 1, to source: SourceKey) {
        held[source, default: 0] += amount
        total += amount
    }

    /// Gives back what the source took.
    public mutating func giveBack(_ amount: Int = 1, from source: SourceKey) {
        let given = min(amount, held(by: source))
        let rest = held(by: source) - given
        held[source] = rest == 0 ? nil : rest
        total -= given
    }

    /// The amount that a source holds.
    public func held(by source: SourceKey) -> Int { held[source, default: 0] }

    /// True where more than half of everything, or of the source's share, is taken: time to be strict.
    public func isCrowded(for source: SourceKey) -> Bool {
        total > limit / 2 || held(by: source) > share / 2
    }
}

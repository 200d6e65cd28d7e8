// One route in a plan, with its legs.

/// A leg in a plan.
enum PlannedLeg: Hashable, Sendable {
    /// Goes on as it is.
    case kept(UInt32, LegSpecification)
    /// Has another specification under the number and the counter that it has.
    case changed(UInt32, LegSpecification)
    case new(LegSpecification)

    var specification: LegSpecification {
        switch self {
        case .kept(_, let leg), .changed(_, let leg), .new(let leg): leg
        }
    }

    var number: UInt32? {
        switch self {
        case .kept(let number, _), .changed(let number, _): number
        case .new: nil
        }
    }

    var isKept: Bool { if case .kept = self { true } else { false } }
}

/// A route in a plan: as it is to be, next to what it is.
struct PlannedRoute: Hashable, Sendable {
    var name: String
    /// The route as it is to be; nil where it is to go.
    var intent: RouteIntent?
    /// Its legs, in the order of the specification.
    var legs: [PlannedLeg]

    /// The legs of the specification, each beside the leg that it continues: an equal one, else one to the same place.
    static func match(
        _ wanted: [LegSpecification], with present: [(number: UInt32, specification: LegSpecification)]
    ) -> [PlannedLeg] {
        var equal: [LegSpecification: UInt32] = [:]
        for leg in present { equal[leg.specification] = leg.number }
        var used: Set<UInt32> = []
        for leg in wanted { if let number = equal[leg] { used.insert(number) } }
        var near: [RouteTable.Place: UInt32] = [:]
        for leg in present where !used.contains(leg.number) { near[RouteTable.Place(leg.specification)] = leg.number }
        return wanted.map { leg in
            if let number = equal[leg] { return .kept(number, leg) }
            if let number = near.removeValue(forKey: RouteTable.Place(leg)) { return .changed(number, leg) }
            return .new(leg)
        }
    }
}

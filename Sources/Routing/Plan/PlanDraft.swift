// The routes as they would be after a batch of changes.

import RTPWire

/// The changed routes of a batch over those that run, which are not copied for it.
struct PlanDraft {
    private let table: RouteTable
    /// The changed routes, in the order of their first change.
    private(set) var routes: [PlannedRoute] = []
    private var numbers: [String: Int] = [:]
    private var sources: [RouteTable.Place: [Int]] = [:]
    private var legs: [RouteTable.Place: [FeedingLeg]] = [:]

    /// A leg that sends to a place.
    struct FeedingLeg {
        var route: String
        /// Its number; nil for one that is not there yet.
        var number: UInt32?
        /// True where it sends media, and not RTCP alone.
        var carriesMedia: Bool
        /// True where it was added although others send there.
        var isForced: Bool

        init(route: String, number: UInt32?, _ leg: LegSpecification, of specification: RouteSpecification) {
            self.route = route
            self.number = number
            carriesMedia = leg.carriesMedia(of: specification)
            isForced = leg.isForced || specification.isForced
        }

        var text: String { (number.map { "leg \($0) of " } ?? "a leg of ") + "route \(route)" }
    }

    init(table: RouteTable) { self.table = table }

    /// Makes one change of the draft.
    mutating func take(_ change: RouteChange) throws(RoutingError) {
        let name = change.route
        let present = numbers[name].map { routes[$0] } ?? table[name].map(Self.untouched)
        switch change {
        case .add(let specification, let owner, let configured):
            guard present?.intent == nil else {
                throw RoutingError(
                    .conflict,
                    "route \(name): exists already; remove it, choose another name, or change it with "
                        + "'crosspoint leg' and 'crosspoint route take'")
            }
            put(planned(RouteIntent(specification: specification, owner: owner, configured: configured)))
        case .replace(let specification, let owner, let configured):
            guard let present, var intent = present.intent else { throw Self.noRoute(name) }
            intent.specification = specification
            if let owner { intent.owner = owner }
            if let configured { intent.configured = configured }
            put(planned(intent))
        case .setLeg(let number, _, let leg):
            guard var present, var intent = present.intent else { throw Self.noRoute(name) }
            guard let index = present.legs.firstIndex(where: { $0.number == number }) else {
                throw Self.noLeg(number, of: name, having: present.legs.compactMap(\.number))
            }
            if present.legs[index].specification == leg { return put(present) }
            present.legs[index] = .changed(number, leg)
            intent.specification.legs = present.legs.map(\.specification)
            present.intent = intent
            put(present)
        case .remove:
            guard var present, present.intent != nil else { throw Self.noRoute(name) }
            (present.intent, present.legs) = (nil, [])
            put(present)
        }
    }

    private mutating func put(_ route: PlannedRoute) {
        if let number = numbers[route.name] {
            routes[number] = route
        } else {
            numbers[route.name] = routes.count
            routes.append(route)
        }
    }

    private static func untouched(_ state: RouteState) -> PlannedRoute {
        PlannedRoute(
            name: state.specification.name, intent: state.intent,
            legs: state.legs.map { .kept($0.number, $0.specification) })
    }

    /// A wanted route, its legs beside those of the running one.
    private func planned(_ intent: RouteIntent) -> PlannedRoute {
        let specification = intent.specification
        let present = (table[specification.name]?.legs ?? []).map {
            (number: $0.number, specification: $0.specification)
        }
        return PlannedRoute(
            name: specification.name, intent: intent, legs: PlannedRoute.match(specification.legs, with: present))
    }

    static func noRoute(_ name: String) -> RoutingError {
        RoutingError(.notFound, "route \(name): no such route; 'crosspoint route list' shows all")
    }

    static func noLeg(_ number: UInt32, of name: String, having numbers: [UInt32]) -> RoutingError {
        let list = numbers.map { "\($0)" }.joined(separator: ", ")
        return RoutingError(
            .notFound, "route \(name): no leg \(number); \(numbers.isEmpty ? "it has none" : "it has \(list)")")
    }

    /// Makes the changed routes known by their places; to be called after the last change.
    mutating func index() {
        for (number, route) in routes.enumerated() {
            guard let specification = route.intent?.specification else { continue }
            sources[RouteTable.Place(specification.source), default: []].append(number)
            for leg in route.legs {
                legs[RouteTable.Place(leg.specification), default: []].append(
                    FeedingLeg(route: route.name, number: leg.number, leg.specification, of: specification))
            }
        }
    }

    /// The planned form of a route; nil for one that the batch does not change.
    func changed(_ name: String) -> PlannedRoute? { numbers[name].map { routes[$0] } }

    /// The sources at a place after the batch, but for those of one route.
    func sources(at place: RouteTable.Place, except name: String) -> [(name: String, source: SourceSpecification)] {
        let running = table.sources(at: place) { numbers[$0] == nil && $0 != name }
        let drafted = (sources[place] ?? []).compactMap { number -> (name: String, source: SourceSpecification)? in
            let route = routes[number]
            guard route.name != name, let intent = route.intent else { return nil }
            return (route.name, intent.specification.source)
        }
        return running + drafted
    }

    /// The legs that send to a place after the batch, but for those of one route.
    func legs(at place: RouteTable.Place, except name: String) -> [FeedingLeg] {
        let running = table.legs(at: place) { numbers[$0] == nil && $0 != name }
        return running + (legs[place] ?? []).filter { $0.route != name }
    }
}

// All routes of the node, and who uses which place and which port: checks must not walk through thousands of routes.

import FastPath
import RTPWire

/// The routes by name, indexed by what their sources and legs use.
struct RouteTable {
    /// The destination address and UDP port of packets, and the port that they pass.
    struct Place: Hashable {
        var address: IPAddress
        var udpPort: UInt16
        var port: PortReference

        init(_ source: SourceSpecification) {
            (address, udpPort, port) = (source.address, source.udpPort, source.port)
        }

        init(_ leg: LegSpecification) {
            (address, udpPort, port) = (leg.address, leg.udpPort, leg.port)
        }
    }

    private var states: [String: RouteState] = [:]
    /// Names of the routes whose source is a place, and of those with a leg there, with the number of their uses.
    private var sources: [Place: [String: Int]] = [:]
    private var legs: [Place: [String: Int]] = [:]
    /// The names of the routes by their flows.
    private var flows: [FlowHandle: String] = [:]
    /// The number of uses of an interface by routes, by their names.
    private var interfaceUses: [String: [String: Int]] = [:]
    /// The number of routes that the kernel engine does not carry.
    private(set) var engineRoutes = 0

    /// The route of the given name.
    subscript(name: String) -> RouteState? {
        get { states[name] }
        set {
            let old = states[name]
            states[name] = newValue
            engineRoutes += (newValue?.needsEngine == true ? 1 : 0) - (old?.needsEngine == true ? 1 : 0)
            if old?.flow != newValue?.flow {
                if let flow = old?.flow, flows[flow] == name { flows[flow] = nil }
                if let flow = newValue?.flow { flows[flow] = name }
            }
            count(old?.specification, newValue?.specification)
        }
    }

    /// The names of all routes.
    var names: [String] { Array(states.keys) }

    /// True if a leg of a route is as wanted; nothing is copied for the answer.
    func contains(legOf name: String, where isWanted: (LegState) -> Bool) -> Bool {
        states[name]?.legs.contains(where: isWanted) ?? false
    }

    /// Changes what a leg of the route has beside its specification, in place: hundreds of others are not copied for it.
    mutating func changeLeg(at index: Int, of name: String, _ change: (inout LegState) -> Void) {
        guard let route = states.index(forKey: name) else { return }
        change(&states.values[route].legs[index])
    }

    /// Changes what is observed of the routes, in place: thousands that stay as they are would be copied for it. Neither specification, flow
    /// nor engine may be changed.
    mutating func observeAll(_ observe: (inout RouteState) -> Void) {
        var index = states.startIndex
        while index != states.endIndex {
            observe(&states.values[index])
            states.formIndex(after: &index)
        }
    }

    /// The names of the routes that something is to be done about.
    mutating func names(where isWanted: (borrowing RouteState) -> Bool) -> [String] {
        var names: [String] = []
        observeAll { if isWanted($0) { names.append($0.specification.name) } }
        return names
    }

    /// The route that a flow is of.
    func route(of flow: FlowHandle) -> RouteState? { flows[flow].flatMap { states[$0] } }

    var values: Dictionary<String, RouteState>.Values { states.values }

    /// Takes note of what two states of a route do not have in common: of hundreds of legs, mostly one.
    private mutating func count(_ old: RouteSpecification?, _ new: RouteSpecification?) {
        guard let name = old?.name ?? new?.name else { return }
        if old?.source != new?.source {
            if let old { note(Place(old.source), -1, of: name, in: \.sources) }
            if let new { note(Place(new.source), 1, of: name, in: \.sources) }
        }
        let (before, after) = (old?.legs ?? [], new?.legs ?? [])
        // Most changes of a state leave its specification alone: hundreds of legs need no comparison then.
        if Self.isOneArray(before, after) { return }
        let most = min(before.count, after.count)
        var first = 0
        while first < most, before[first] == after[first] { first += 1 }
        var last = 0
        while last < most - first, before[before.count - 1 - last] == after[after.count - 1 - last] { last += 1 }
        for leg in before[first..<before.count - last] { note(Place(leg), -1, of: name, in: \.legs) }
        for leg in after[first..<after.count - last] { note(Place(leg), 1, of: name, in: \.legs) }
    }

    private static func isOneArray(_ one: [LegSpecification], _ other: [LegSpecification]) -> Bool {
        one.count == other.count
            && one.withUnsafeBufferPointer { one in other.withUnsafeBufferPointer { one.baseAddress == $0.baseAddress }
            }
    }

    private mutating func note(
        _ place: Place, _ change: Int, of name: String, in index: WritableKeyPath<RouteTable, [Place: [String: Int]]>
    ) {
        let interface = place.port.interface
        let total = (interfaceUses[interface]?[name] ?? 0) + change
        interfaceUses[interface, default: [:]][name] = total > 0 ? total : nil
        if interfaceUses[interface]?.isEmpty == true { interfaceUses[interface] = nil }
        let uses = self[keyPath: index][place]?[name] ?? 0
        self[keyPath: index][place, default: [:]][name] = uses + change > 0 ? uses + change : nil
        if self[keyPath: index][place]?.isEmpty == true { self[keyPath: index][place] = nil }
    }

    /// True if a source or a leg uses the interface.
    func uses(interface: String) -> Bool { interfaceUses[interface] != nil }

    /// The names of the routes with a source or a leg on an interface.
    func routes(on interface: String) -> [String] { Array((interfaceUses[interface] ?? [:]).keys) }

    /// The sources at a place, of the routes whose names are wanted.
    func sources(
        at place: Place, where isWanted: (String) -> Bool
    ) -> [(name: String, source: SourceSpecification)] {
        (sources[place] ?? [:]).keys.filter(isWanted).sorted().compactMap { name in
            states[name].map { (name, $0.specification.source) }
        }
    }

    /// The legs that send to a place, of the routes whose names are wanted.
    func legs(at place: Place, where isWanted: (String) -> Bool) -> [PlanDraft.FeedingLeg] {
        (legs[place] ?? [:]).keys.filter(isWanted).sorted().flatMap { name -> [PlanDraft.FeedingLeg] in
            guard let state = states[name] else { return [] }
            return state.legs.filter { Place($0.specification) == place }.map {
                PlanDraft.FeedingLeg(route: name, number: $0.number, $0.specification, of: state.specification)
            }
        }
    }
}

extension RouteState {
    fileprivate var needsEngine: Bool { parameters.engine != .kernel }
}

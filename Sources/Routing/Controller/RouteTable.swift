// All routes of the node, and who uses which place and which port: checks must not walk through thousands of routes.

import RTPWire

/// The routes by name, indexed by what their sources and legs use.
struct RouteTable {
    /// Where packets are addressed to, and the port that they pass.
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
    /// Names of the routes whose source is a place, and of those with a leg there.
    private var sources: [Place: Set<String>] = [:]
    private var legs: [Place: Set<String>] = [:]
    /// How often routes use an interface.
    private var interfaceUses: [String: Int] = [:]

    /// The route of the given name.
    subscript(name: String) -> RouteState? {
        get { states[name] }
        set {
            let old = states[name]
            states[name] = newValue
            guard old?.specification != newValue?.specification else { return }
            if let old { count(old.specification, -1) }
            if let newValue { count(newValue.specification, 1) }
        }
    }

    var values: Dictionary<String, RouteState>.Values { states.values }

    private mutating func count(_ route: RouteSpecification, _ change: Int) {
        func note(_ place: Place, in index: inout [Place: Set<String>]) {
            if change > 0 {
                index[place, default: []].insert(route.name)
            } else {
                index[place]?.remove(route.name)
                if index[place]?.isEmpty == true { index[place] = nil }
            }
        }
        note(Place(route.source), in: &sources)
        interfaceUses[route.source.port.interface, default: 0] += change
        for leg in route.legs {
            note(Place(leg), in: &legs)
            interfaceUses[leg.port.interface, default: 0] += change
        }
    }

    /// Whether a source or a leg uses the interface.
    func uses(interface: String) -> Bool { interfaceUses[interface, default: 0] > 0 }

    /// The sources at a place, but for those of one route.
    func sources(at place: Place, except name: String?) -> [(name: String, source: SourceSpecification)] {
        (sources[place] ?? []).filter { $0 != name }.sorted().compactMap { name in
            states[name].map { (name, $0.specification.source) }
        }
    }

    /// The legs that send to a place, but for those of one route.
    func legs(at place: Place, except name: String?) -> [(name: String, leg: LegState)] {
        (legs[place] ?? []).filter { $0 != name }.sorted().flatMap { name in
            (states[name]?.legs ?? []).filter { Place($0.specification) == place }.map { (name, $0) }
        }
    }
}

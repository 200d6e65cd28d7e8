// The `routes` of a configuration file: `name: {from: …, to: [ … ], …}`.

import RTPWire
import Routing

/// Reads the routes, and what they must not be to each other.
struct RoutesReader {
    let node: ConfigurationNode
    let limits: NodeConfiguration.Limits

    private static let keys = RouteSpecification.CodingKeys.allCases.map(\.rawValue).filter { $0 != "name" }

    func read() throws(ConfigurationError) -> [RouteSpecification] {
        var routes: [RouteSpecification] = []
        var legs = 0
        for (name, node) in try node.pairs() {
            let route = try route(name, node)
            routes.append(route)
            legs += route.legs.count
            guard routes.count <= limits.flows else {
                throw node.error(
                    "is the \(routes.count)th route, but limits.flows is \(limits.flows); raise it or remove routes")
            }
            guard legs <= limits.legs else {
                throw node.error("makes \(legs) legs, but limits.legs is \(limits.legs); raise it or remove legs")
            }
        }
        return routes
    }

    private func route(_ name: String, _ node: ConfigurationNode) throws(ConfigurationError) -> RouteSpecification {
        do { try RouteSpecification.validate(name: name) } catch { throw node.error(error.description) }
        let values = try node.values(known: Self.keys)
        guard let from = values["from"] else {
            throw node.error("has no 'from'; write where its packets come from, from: 239.1.1.10:5004@eth0")
        }
        guard let to = values["to"] else {
            throw node.error("has no 'to'; list where its packets go, or write to: [] to receive without forwarding")
        }
        let source = try from.parse { text throws(SpecificationError) in try SourceSpecification(text) }
        var route = RouteSpecification(name: name, source: source)
        try readSettings(values, into: &route)
        var lines: [LegSpecification: Int] = [:]
        for element in try to.elements() {
            let leg = try element.parse { text throws(SpecificationError) in
                let leg = try LegSpecification(text)
                try route.validate(leg: leg)
                return leg
            }
            if let first = lines.updateValue(element.line, forKey: leg) {
                throw element.error("'\(leg)' stands twice (first on line \(first)); name each destination once")
            }
            route.legs.append(leg)
        }
        do { try route.validate() } catch { throw node.error(error.description) }
        return route
    }

    private func readSettings(
        _ values: [String: ConfigurationNode], into route: inout RouteSpecification
    ) throws(ConfigurationError) {
        if let node = values["payload"] {
            route.payload = try node.parse { text throws(SpecificationError) in
                try RouteSpecification.Payload(text, setting: "payload")
            }
        }
        if let node = values["accounting"] {
            route.accounting = try node.parse { text throws(SpecificationError) in
                try RouteSpecification.Accounting(text, setting: "accounting")
            }
        }
        if let node = values["clock"] { route.clockRate = UInt32(try node.number(in: 1...Int(UInt32.max))) }
        if let node = values["rate"] {
            route.wireRate = try node.parse { text throws(SpecificationError) in try BitRate(text) }.bitsPerSecond
        }
        if let node = values["delivery"] {
            route.delivery = try node.parse { text throws(SpecificationError) in
                try RouteSpecification.Delivery(text, setting: "delivery")
            }
        }
        if let node = values["engine"] {
            route.engine = try node.parse { text throws(SpecificationError) in
                try RouteSpecification.Engine(text, setting: "engine")
            }
        }
        if let node = values["force"] { route.isForced = try node.flag() }
    }
}

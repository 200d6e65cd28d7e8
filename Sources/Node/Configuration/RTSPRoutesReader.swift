// The list `rtsp.routes` of a configuration file.

import RTSPProxy
import Routing

/// Reads the routes of the proxy, and what they must not be to each other.
struct RTSPRoutesReader {
    let node: ConfigurationNode
    /// True if there is a file of users.
    let hasUsers: Bool
    /// True if `rtsp.multicast` names groups.
    let hasGroups: Bool

    private typealias Key = RTSPRoute.CodingKeys
    private static let keys = RTSPRoute.CodingKeys.allCases.map(\.rawValue)

    func read() throws(ConfigurationError) -> [RTSPRoute] {
        var routes: [RTSPRoute] = []
        var names: [String: Int] = [:]
        var matches: [RTSPRoute.Match: Int] = [:]
        for element in try node.elements() {
            let route = try route(element)
            if let line = names.updateValue(element.line, forKey: route.name) {
                throw element.error(
                    "'\(route.name)' stands twice (first on line \(line)); give each route its own name")
            }
            if let line = matches.updateValue(element.line, forKey: route.match) {
                throw element.error("'\(route.name)' is for the same paths as the route on line \(line); keep one")
            }
            routes.append(route)
        }
        return routes
    }

    private func route(_ node: ConfigurationNode) throws(ConfigurationError) -> RTSPRoute {
        let values = try node.values(known: Self.keys)
        guard let nameNode = values[Key.name.rawValue] else { throw node.error("has no 'name'; give it one") }
        let name = try nameNode.parse { text throws(SpecificationError) in
            try RouteSpecification.validate(name: text)
            return text
        }
        var route = RTSPRoute(name: name, match: try match(values, name, node), source: try source(values, name, node))
        for key in [Key.transport, .fingerprint, .publishUsers, .onDemand] {
            guard let value = values[key.rawValue] else { continue }
            do { try route.checkUse(of: key) } catch { throw value.error(error.description) }
        }
        if let value = values[Key.transport.rawValue] {
            route.transport = try value.parse { text throws(SpecificationError) in
                try RTSPRoute.UpstreamTransport(text, setting: Key.transport.rawValue)
            }
        }
        if let value = values[Key.fingerprint.rawValue] {
            route.fingerprint = try value.parse { text throws(SpecificationError) in try RTSPRoute.fingerprint(text) }
            do { try route.checkFingerprint() } catch { throw value.error(error.description) }
        }
        if let value = values[Key.read.rawValue] { route.read = try permission(value, .read) }
        if let value = values[Key.publishUsers.rawValue] { route.publish = try permission(value, .publishUsers) }
        if let value = values[Key.allow.rawValue] { route.allowedNetworks = try networks(value, .allow) }
        if let value = values[Key.destinations.rawValue] {
            route.allowedDestinations = try networks(value, .destinations)
        }
        if let value = values[Key.onDemand.rawValue] { route.isOnDemand = try value.flag() }
        if let value = values[Key.multicast.rawValue] {
            route.sendsMulticast = try value.flag()
            guard hasGroups || !route.sendsMulticast else {
                throw value.error(
                    "'\(name)' is sent to groups, but rtsp.multicast names none; give it a pool of groups")
            }
        }
        if !hasUsers, let key = route.settingThatNeedsUsers {
            throw (values[key] ?? node).error(
                "'\(name)' asks for users (\(key)), but rtsp.users-file names none; name the file, or write \(key): anyone"
            )
        }
        return route
    }

    private func match(
        _ values: [String: ConfigurationNode], _ name: String, _ node: ConfigurationNode
    ) throws(ConfigurationError) -> RTSPRoute.Match {
        var matches: [RTSPRoute.Match] = []
        if let value = values[Key.path.rawValue] {
            matches.append(try value.parse { text throws(SpecificationError) in try RTSPRoute.Match(path: text) })
        }
        if let value = values[Key.prefix.rawValue] {
            matches.append(try value.parse { text throws(SpecificationError) in try RTSPRoute.Match(prefix: text) })
        }
        if let value = values[Key.expression.rawValue] {
            matches.append(try value.parse { text throws(SpecificationError) in try RTSPRoute.Match(expression: text) })
        }
        do { return try RTSPRoute.only(matches, of: name) } catch { throw node.error(error.description) }
    }

    private func source(
        _ values: [String: ConfigurationNode], _ name: String, _ node: ConfigurationNode
    ) throws(ConfigurationError) -> RTSPRoute.Source {
        let upstream = try values[Key.upstream.rawValue].map { value throws(ConfigurationError) in
            try value.parse { text throws(SpecificationError) in
                try UpstreamText.validate(text)
                return text
            }
        }
        let isPublisher = try values[Key.publish.rawValue]?.flag() ?? false
        do { return try RTSPRoute.source(upstream: upstream, isPublisher: isPublisher, of: name) } catch {
            throw node.error(error.description)
        }
    }

    private func permission(_ node: ConfigurationNode, _ key: Key) throws(ConfigurationError) -> RTSPRoute.Permission {
        guard node.isList else {
            return try node.parse { text throws(SpecificationError) in
                guard ["anyone", "any-user"].contains(text) else {
                    throw SpecificationError(
                        .setting(key.rawValue), text, "is unknown",
                        remedy: "use anyone, any-user or a list of users, [\(text)]")
                }
                return try RTSPRoute.Permission(words: [text], setting: key.rawValue)
            }
        }
        var users: Set<String> = []
        for element in try node.elements() {
            guard users.insert(try element.text()).inserted else { throw element.error("stands twice; keep one") }
        }
        do { return try RTSPRoute.Permission(words: users.sorted(), setting: key.rawValue) } catch {
            throw node.error(error.description)
        }
    }

    private func networks(_ node: ConfigurationNode, _ key: Key) throws(ConfigurationError) -> [String] {
        var networks: [String] = []
        for element in try node.elements() {
            let network = try element.parse { text throws(SpecificationError) in
                try RTSPRoute.network(text, setting: key.rawValue)
            }
            guard !networks.contains(network) else { throw element.error("'\(network)' stands twice; keep one") }
            networks.append(network)
        }
        return networks
    }
}

// The list `sip.dial-plan` of a configuration file.

import RTPWire
import Routing
import SIPAgent

/// Reads the rules of the dial plan, and what they must not be to each other.
struct DialPlanReader {
    let node: ConfigurationNode
    /// True if there is a file of users.
    let hasUsers: Bool
    let hasRegistrar: Bool
    /// True if the files that it names must be there and fit to be used.
    let checksFiles: Bool

    private static let keys = [
        "name", "user", "host", "from", "callers", "to", "forking", "ring-time", "srtp", "rewrite",
    ]

    func read() throws(ConfigurationError) -> [DialRule] {
        var rules: [DialRule] = []
        var names: [String: Int] = [:]
        for element in try node.elements() {
            let rule = try rule(element)
            if let line = names.updateValue(element.line, forKey: rule.name) {
                throw element.error(
                    "'\(rule.name)' stands twice (first on line \(line)); give each rule its own name")
            }
            if let index = rules.firstIndex(where: { $0.user == nil && $0.host == nil && $0.sources.isEmpty }) {
                throw element.error(
                    "'\(rule.name)' is never reached: '\(rules[index].name)' before it matches every call; put that last"
                )
            }
            rules.append(rule)
        }
        return rules
    }

    private func rule(_ node: ConfigurationNode) throws(ConfigurationError) -> DialRule {
        let values = try node.values(known: Self.keys)
        guard let nameNode = values["name"] else { throw node.error("has no 'name'; give it one") }
        let name = try nameNode.parse { text throws(SpecificationError) in
            try RouteSpecification.validate(name: text)
            return text
        }
        guard let to = values["to"] else {
            throw node.error("'\(name)' has no 'to'; write to: registered, or the URI of a next hop")
        }
        var rule = DialRule(name: name, targets: try targets(to))
        if let value = values["user"] { rule.user = try pattern(value, "user") }
        if let value = values["host"] { rule.host = try pattern(value, "host") }
        if let value = values["from"] { rule.sources = try value.networks() }
        if let value = values["callers"] {
            rule.permission = try permission(value)
            guard hasUsers || !rule.permission.needsUsers else {
                throw value.error(
                    "'\(name)' asks for users, but sip.users-file names none; name the file, or write callers: allowed")
            }
        }
        if let value = values["forking"] { rule.forking = try value.choice() }
        if let value = values["ring-time"] { rule.ringTime = try value.number(in: 1...3600) }
        if let value = values["srtp"] { rule.protection = try value.choice() }
        if let value = values["rewrite"] {
            let parts = try value.values(known: ["user", "host"])
            rule.rewriteUser = try parts["user"]?.text()
            rule.rewriteHost = try parts["host"]?.text()
        }
        // Patterns are right by now, so that it is what rewrites them that is not.
        do { try rule.validate() } catch {
            let place = error.part == .setting("srtp") ? values["srtp"] : values["rewrite"]
            throw (place ?? node).error(error.description)
        }
        return rule
    }

    /// `studio1`, `{prefix: '00'}` or `{regex: '(\d+)'}`.
    private func pattern(_ node: ConfigurationNode, _ key: String) throws(ConfigurationError) -> DialPattern {
        var pattern: DialPattern
        var place = node
        if node.isMapping {
            let values = try node.values(known: ["prefix", "regex"])
            guard values.count == 1, let (kind, value) = values.first else {
                throw node.error("has both 'prefix' and 'regex', or neither; write one of them")
            }
            place = value
            let text = try value.text()
            pattern = kind == "prefix" ? .prefix(text) : .expression(text)
        } else {
            pattern = .exact(try node.text())
        }
        if key == "host" {
            // Hosts are compared in lower case.
            switch pattern {
            case .exact(let text): pattern = .exact(IPAddress(text)?.description ?? text.lowercased())
            case .prefix(let text): pattern = .prefix(text.lowercased())
            case .expression: break
            }
        }
        do { try pattern.validate(setting: key) } catch { throw place.error(error.description) }
        return pattern
    }

    private func targets(_ node: ConfigurationNode) throws(ConfigurationError) -> [DialTarget] {
        guard node.isList else { return [try target(node)] }
        var targets: [DialTarget] = []
        for element in try node.elements() {
            let target = try target(element)
            guard !targets.contains(target) else { throw element.error("stands twice; keep one") }
            targets.append(target)
        }
        guard (1...32).contains(targets.count) else {
            throw node.error("names \(targets.count == 0 ? "nobody" : "more than 32 targets"); list 1 to 32")
        }
        return targets
    }

    private func target(_ node: ConfigurationNode) throws(ConfigurationError) -> DialTarget {
        guard node.isMapping else {
            let target = try node.parse { text throws(SpecificationError) in try DialTarget(text) }
            guard hasRegistrar || target != .registered else {
                throw node.error("calls registered devices, but there is no sip.registrar; give the section one")
            }
            return target
        }
        let values = try node.values(known: ["uri", "user", "password-file"])
        guard let uriNode = values["uri"] else { throw node.error("has no 'uri'; write the URI of the next hop") }
        let uri = try uriNode.parse { text throws(SpecificationError) in try DialTarget.uri(text) }
        switch (values["user"], values["password-file"]) {
        case (nil, nil): return .nextHop(.init(uri: uri))
        case (let user?, let file?):
            let path = try file.file(checks: checksFiles, isSecret: true)
            return .nextHop(.init(uri: uri, credentials: .init(user: try user.text(), passwordFile: path)))
        default: throw node.error("has only one of 'user' and 'password-file'; write both, or neither")
        }
    }

    private func permission(_ node: ConfigurationNode) throws(ConfigurationError) -> DialRule.Permission {
        guard node.isList else {
            return try node.parse { text throws(SpecificationError) in try DialRule.Permission(word: text) }
        }
        var users: Set<String> = []
        for element in try node.elements() {
            guard users.insert(try element.text()).inserted else { throw element.error("stands twice; keep one") }
        }
        guard !users.isEmpty else { throw node.error("names nobody; list users, or use allowed, anyone or any-user") }
        return .users(users)
    }
}

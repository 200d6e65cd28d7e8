// From what was called to who is called.

import RTPWire
import Routing
import SIPCore

/// The rules of the configuration, ready to be asked. Not sendable: it stays on the agent's actor.
struct DialPlan {
    private struct Rule {
        let rule: DialRule
        let user: DialMatcher?
        let host: DialMatcher?
        let rewriteUser: DialTemplate?
        let rewriteHost: DialTemplate?

        init(_ rule: DialRule) throws(SpecificationError) {
            self.rule = rule
            let user = try rule.user.map { pattern throws(SpecificationError) in
                try DialMatcher(pattern, setting: "user")
            }
            let host = try rule.host.map { pattern throws(SpecificationError) in
                try DialMatcher(pattern, setting: "host")
            }
            rewriteUser = try rule.rewriteUser.map { text throws(SpecificationError) in
                try DialTemplate(text, groups: user?.groups ?? 0, setting: "rewrite.user")
            }
            rewriteHost = try rule.rewriteHost.map { text throws(SpecificationError) in
                try DialTemplate(text, groups: host?.groups ?? 0, setting: "rewrite.host")
            }
            self.user = user
            self.host = host
        }
    }

    private let rules: [Rule]

    /// - Throws: which rule cannot be used, and why.
    init(_ rules: [DialRule]) throws(SpecificationError) {
        self.rules = try rules.map { rule throws(SpecificationError) in
            do throws(SpecificationError) { return try Rule(rule) } catch {
                var error = error
                error.context = "dial plan rule \(rule.name)"
                throw error
            }
        }
    }

    /// The first rule for a call to `uri` that comes from `source`; nil where there is none, or what it makes of the URI is none. Whether
    /// the caller may, the caller of this decides by the rule's permission.
    func decide(_ uri: SIPURI, from source: IPAddress) -> DialDecision? {
        let called = Called(uri)
        for rule in rules {
            guard rule.rule.sources.isEmpty || rule.rule.sources.contains(where: { $0.contains(source) }) else {
                continue
            }
            guard let userGroups = rule.user.map({ $0.match(called.user) }) ?? [],
                let hostGroups = rule.host.map({ $0.match(called.host) }) ?? []
            else { continue }
            return decision(rule, called, userGroups: userGroups, hostGroups: hostGroups)
        }
        return nil
    }

    private func decision(
        _ rule: Rule, _ called: Called, userGroups: [String], hostGroups: [String]
    ) -> DialDecision? {
        let user = rule.rewriteUser?.expanded(.init(user: called.user, host: called.host, groups: userGroups))
        let host = rule.rewriteHost?.expanded(.init(user: called.user, host: called.host, groups: hostGroups))
        var newHost: SIPHostPort?
        if let host {
            // An IPv6 address that was called is written without brackets in the template.
            guard let place = try? SIPHostPort(IPAddress(host)?.bracketed ?? host) else { return nil }
            newHost = place
        }
        var targets: [DialDecision.Target] = []
        for target in rule.rule.targets {
            switch target {
            case .registered:
                guard let place = newHost ?? called.place else { continue }
                var address = SIPURI(.sip, place)
                address.userName = user ?? called.user
                if address.user == nil { continue }
                targets.append(.registered(address))
            case .nextHop(let hop):
                targets.append(.nextHop(nextHop(hop, called, user: user, host: newHost)))
            }
        }
        guard !targets.isEmpty else { return nil }
        return DialDecision(
            rule: rule.rule.name, permission: rule.rule.permission, targets: targets, forking: rule.rule.forking,
            ringTime: rule.rule.ringTime, protection: rule.rule.protection)
    }

    private func nextHop(
        _ hop: DialTarget.NextHop, _ called: Called, user: String?, host: SIPHostPort?
    ) -> DialDecision.NextHop {
        var destination = hop.uri
        // A call over TLS on the whole way stays one (RFC 3261 section 26.2.2).
        if called.isSecure { destination.scheme = .sips }
        var request = destination
        request.parameters["lr"] = nil
        if let user { request.userName = user } else if request.user == nil { request.userName = called.user }
        if called.isTelephone, request.user != nil { request.parameters["user"] = "phone" }
        if let host {
            request.place = host
            request.parameters["transport"] = nil
            request.parameters["maddr"] = nil
        } else {
            destination = request
        }
        return .init(requestURI: request, destination: destination, credentials: hop.credentials)
    }

    /// The called URI, in the form in which patterns see it.
    private struct Called {
        /// Escapes undone; the number of a tel URI.
        let user: String
        let host: String
        let place: SIPHostPort?
        let isSecure: Bool
        /// True if the user is a telephone number (RFC 3261 section 19.1.6).
        let isTelephone: Bool

        init(_ uri: SIPURI) {
            user = uri.userName ?? ""
            place = uri.place
            host =
                switch uri.place?.host {
                case .name(let name): name.lowercased()
                case .address(let address): address.description
                case nil: ""
                }
            isSecure = uri.scheme == .sips
            isTelephone = uri.scheme == .tel || uri.parameters["user"]?.lowercased() == "phone"
        }
    }
}

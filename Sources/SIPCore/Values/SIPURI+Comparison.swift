// When two URIs mean the same (RFC 3261 section 19.1.4).

extension SIPURI {
    /// True if both URIs are equivalent. This is not `==`, which compares what was written, and it is not transitive.
    public func isEquivalent(to other: SIPURI) -> Bool {
        guard scheme == other.scheme else { return false }
        switch scheme {
        case .other: return opaque == other.opaque
        case .tel: return digits == other.digits && parametersAgree(with: other, always: ["phone-context", "ext"])
        case .sip, .sips: break
        }
        guard same(user, other.user), same(password, other.password),
            place?.transportPort == other.place?.transportPort, let host = place?.host,
            let otherHost = other.place?.host,
            host.isEquivalent(to: otherHost)
        else { return false }
        return parametersAgree(with: other, always: ["user", "ttl", "method", "maddr", "transport"])
            && headerSet == other.headerSet
    }

    /// Parameters that stand in both must agree; those of `always` must stand in both or in none.
    private func parametersAgree(with other: SIPURI, always: [String]) -> Bool {
        func agree(_ one: SIPURI, _ two: SIPURI) -> Bool {
            one.parameters.all.allSatisfy { parameter in
                let name = Escapes.normalised(parameter.name)
                guard let match = two.parameters.all.first(where: { ASCII.isSame(Escapes.normalised($0.name), name) })
                else { return !always.contains(name.lowercased()) }
                return ASCII.isSame(
                    Escapes.normalised(match.value ?? ""), Escapes.normalised(parameter.value ?? ""))
            }
        }
        return agree(self, other) && agree(other, self)
    }

    private func same(_ one: String?, _ other: String?) -> Bool {
        one.map { Escapes.normalised($0) } == other.map { Escapes.normalised($0) }
    }

    /// The digits of a telephone number without visual separators (RFC 3966 section 5).
    private var digits: String { (user ?? "").filter { !"-.()".contains($0) }.lowercased() }

    /// The headers in an order that does not matter, names without case.
    private var headerSet: [String] {
        (headers ?? "").split(separator: "&").map { field in
            let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = pair.count == 2 ? String(pair[1]) : ""
            return "\(Escapes.normalised(String(pair[0])).lowercased())=\(Escapes.normalised(value))"
        }.sorted()
    }
}

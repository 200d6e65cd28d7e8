// Devices that can be called by name.

/// The bindings of addresses-of-record to Contacts (RFC 3261 section 10.3). Times are of one clock that does not go back.
public struct Registrar: Sendable {
    /// One place where an address-of-record is reached.
    public struct Binding: Hashable, Sendable {
        public let contact: SIPURI
        /// Preference in thousandths, 0 to 1000.
        public let preference: Int
        /// When the binding ends.
        public let end: Duration
        /// Call-ID and CSeq of the REGISTER that made it, by which later ones are distinguished from earlier.
        public let callID: String
        public let sequence: UInt32

        public init(contact: SIPURI, preference: Int, end: Duration, callID: String, sequence: UInt32) {
            self.contact = contact
            self.preference = preference
            self.end = end
            self.callID = callID
            self.sequence = sequence
        }
    }

    /// The limits of accepted registrations.
    public struct Policy: Hashable, Sendable {
        /// Seconds that a binding may last, and does where nothing is said.
        public var maximum: UInt32
        /// Seconds below which a binding is refused with 423.
        public var minimum: UInt32
        public var addresses: Int
        public var bindingsOfAddress: Int

        public init(
            maximum: UInt32 = 3600, minimum: UInt32 = 60, addresses: Int = 10_000, bindingsOfAddress: Int = 10
        ) {
            self.maximum = maximum
            self.minimum = minimum
            self.addresses = addresses
            self.bindingsOfAddress = bindingsOfAddress
        }
    }

    /// May change at any time: bindings that were accepted stay as they are.
    public var policy: Policy
    private var bindings: [String: [Binding]] = [:]

    public init(policy: Policy = Policy()) { self.policy = policy }

    /// The number of addresses that have bindings; some of them may have ended.
    public var count: Int { bindings.count }

    /// Takes bindings up that an earlier process has accepted, in place of those that the address has.
    public mutating func restore(_ list: [Binding], of address: SIPURI, now: Duration) {
        let valid = list.filter { $0.end > now }
        bindings[Self.name(of: address)] = valid.isEmpty ? nil : valid
    }

    /// Forgets all bindings of an address; false where it has none.
    public mutating func remove(_ address: SIPURI) -> Bool {
        bindings.removeValue(forKey: Self.name(of: address)) != nil
    }

    /// The bindings of an address that hold, the preferred ones first.
    public func bindings(of address: SIPURI, now: Duration) -> [Binding] {
        current(Self.name(of: address), now)
    }

    /// Carries out a REGISTER whose sender may do so: all of it or nothing.
    ///
    /// - Returns: the fields of the 200, with all bindings that hold now.
    /// - Throws: what to answer instead.
    public mutating func register(_ request: SIPRequest, now: Duration) throws(SIPRefusal) -> SIPHeaders {
        let name = Self.name(of: request.to.uri)
        var list = current(name, now)
        if request.headers.all("Contact").contains("*") {
            guard request.headers.list("Contact").count == 1, request.headers.clampedNumber("Expires") == 0 else {
                throw SIPRefusal(SIPStatus(400, "Bad Request (Contact * needs Expires 0 and stands alone)"))
            }
            for binding in list { try checkOrder(request, after: binding) }
            list = []
        } else {
            // Parsed requests have Contacts that can be read.
            for contact in (try? request.headers.addresses("Contact")) ?? [] {
                try update(&list, with: contact, of: request, now: now)
            }
        }
        if bindings[name] == nil, !list.isEmpty, bindings.count >= policy.addresses { expire(now: now) }
        guard bindings[name] != nil || list.isEmpty || bindings.count < policy.addresses else {
            throw SIPRefusal(.serviceUnavailable)
        }
        bindings[name] = list.isEmpty ? nil : list
        var headers = SIPHeaders()
        for binding in current(name, now) {
            let seconds = (binding.end - now).components.seconds
            headers.append("Contact", "<\(binding.contact)>;expires=\(seconds)")
        }
        return headers
    }

    private func update(
        _ list: inout [Binding], with contact: NameAddress, of request: SIPRequest, now: Duration
    ) throws(SIPRefusal) {
        let parameter: SIPHeaders = contact.parameters["expires"].map { ["Expires": $0] } ?? [:]
        let asked = parameter.clampedNumber("Expires") ?? request.headers.clampedNumber("Expires") ?? policy.maximum
        if asked > 0, asked < policy.minimum {
            throw SIPRefusal(.intervalTooBrief, headers: ["Min-Expires": String(policy.minimum)])
        }
        if let index = list.firstIndex(where: { $0.contact.isEquivalent(to: contact.uri) }) {
            try checkOrder(request, after: list[index])
            list.remove(at: index)
        }
        guard asked > 0 else { return }
        guard list.count < policy.bindingsOfAddress else { throw SIPRefusal(.forbidden) }
        list.append(
            Binding(
                contact: contact.uri, preference: Self.preference(contact.parameters["q"]),
                end: now + .seconds(min(asked, policy.maximum)), callID: request.callID, sequence: request.sequence))
    }

    /// A REGISTER that was overtaken by a later one of the same device changes nothing (section 10.3 item 7).
    private func checkOrder(_ request: SIPRequest, after binding: Binding) throws(SIPRefusal) {
        if binding.callID == request.callID, request.sequence <= binding.sequence {
            throw SIPRefusal(.serverInternalError)
        }
    }

    /// Forgets bindings that have ended.
    public mutating func expire(now: Duration) {
        for name in bindings.keys {
            let list = current(name, now)
            bindings[name] = list.isEmpty ? nil : list
        }
    }

    private func current(_ name: String, _ now: Duration) -> [Binding] {
        let valid = (bindings[name] ?? []).filter { $0.end > now }
        return valid.enumerated().sorted { one, two in
            (two.element.preference, one.offset) < (one.element.preference, two.offset)
        }.map(\.element)
    }

    /// An address-of-record in the form in which it is looked up: no parameters, escapes undone (section 10.3 item 5).
    private static func name(of address: SIPURI) -> String {
        let host = address.place.map { "\($0.host)".lowercased() } ?? address.opaque ?? ""
        return "\(address.userName ?? "")@\(host)"
    }

    /// `0`, `0.7`, `1.000`; 1 where nothing or something else is said.
    private static func preference(_ text: String?) -> Int {
        guard let text else { return 1000 }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole: Int = ASCII.number(parts[0]), whole <= 1 else { return 1000 }
        guard whole == 0, parts.count == 2 else { return whole * 1000 }
        let digits = (parts[1] + "000").prefix(3)
        return ASCII.number(digits) ?? 1000
    }
}

// Header fields read as what they mean.

extension SIPHeaders {
    /// A number that is alone, as in Max-Forwards, Expires, Min-Expires and RSeq; nil where it is missing or none.
    /// Text that follows a semicolon or, as in Retry-After, a comment, does not count.
    public func number<Number: FixedWidthInteger>(_ name: String) -> Number? {
        guard let value = self[name] else { return nil }
        return ASCII.number(value.prefix { $0 != ";" && $0 != " " && $0 != "(" && $0 != "\t" })
    }

    /// A number that is read as the largest when it is too large (RFC 3261 section 20.19, RFC 4475 section 3.1.2.4).
    public func clampedNumber(_ name: String) -> UInt32? {
        guard let value = self[name]?.prefix(while: { $0 != ";" && $0 != " " }), !value.isEmpty,
            value.utf8.allSatisfy(ASCII.isDigit)
        else { return nil }
        return ASCII.number(value) ?? .max
    }

    /// The addresses of a list field: Contact (without `*`), Route, Record-Route, Path, P-Asserted-Identity.
    public func addresses(_ name: String) throws(SIPSyntaxError) -> [NameAddress] {
        var addresses: [NameAddress] = []
        for value in all(name) { addresses += try NameAddress.list(value) }
        return addresses
    }

    /// Sets a list field to addresses, one field each.
    public mutating func set(_ name: String, _ addresses: [NameAddress]) {
        set(name, addresses.map(\.description))
    }

    /// The first Contact's URI, as dialogs need it; nil where there is none or it cannot be read.
    public var contact: NameAddress? { (try? addresses("Contact"))?.first }

    /// The hops that are left (RFC 3261 section 20.22); nil where it is missing.
    public var maxForwards: UInt8? { number("Max-Forwards") }

    /// The type of the body; nil where it is missing or no media type.
    public var contentType: MediaType? { self["Content-Type"].flatMap { try? MediaType($0) } }

    /// The purpose of a body: `session` where nothing says so (RFC 3261 section 20.11).
    public var contentDisposition: String {
        let value = self["Content-Disposition"] ?? "session"
        return String(value.prefix { $0 != ";" && $0 != " " }).lowercased()
    }

    /// The response that a PRACK acknowledges (RFC 3262 section 7.2).
    public var rack: RAck? { self["RAck"].flatMap { try? RAck($0) } }
}

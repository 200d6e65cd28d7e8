// The fields that every message must have.

/// Via, From, To, Call-ID and CSeq as values, and the header fields that remain (RFC 3261 section 8.1.1).
struct CommonFields {
    let vias: [Via]
    let from: NameAddress
    let to: NameAddress
    let callID: String
    let cseq: CSeq
    let headers: SIPHeaders

    init(_ head: MessageHead, limits: SIPLimits) throws(SIPParseError) {
        var vias: [Via] = []
        for value in head.all("Via") {
            vias += try Self.read("Via", value) { v throws(SIPSyntaxError) in try Via.list(v) }
        }
        if vias.isEmpty { throw SIPParseError(.badRequest, "Via is missing") }
        guard vias.count <= limits.vias else { throw SIPParseError(.badRequest, "more than \(limits.vias) Vias") }
        self.vias = vias
        from = try Self.read("From", try Self.single("From", head)) { v throws(SIPSyntaxError) in try NameAddress(v) }
        to = try Self.read("To", try Self.single("To", head)) { v throws(SIPSyntaxError) in try NameAddress(v) }
        cseq = try Self.read("CSeq", try Self.single("CSeq", head)) { v throws(SIPSyntaxError) in try CSeq(v) }
        callID = try Self.single("Call-ID", head)
        guard !callID.isEmpty, callID.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw SIPParseError(.badRequest, "Call-ID '\(callID)' is no word")
        }
        for name in Self.once where head.all(name).count > 1 {
            throw SIPParseError(.badRequest, "\(name) stands twice")
        }
        if let value = head.all("Max-Forwards").first, (ASCII.number(value) as UInt8?) == nil {
            throw SIPParseError(.badRequest, "Max-Forwards '\(value)' is not 0 to 255")
        }
        for name in ["Contact", "Route", "Record-Route"] {
            for value in head.all(name) where value != "*" || name != "Contact" {
                _ = try Self.read(name, value) { v throws(SIPSyntaxError) in try NameAddress.list(v) }
            }
        }
        let held = ["Via", "From", "To", "Call-ID", "CSeq", "Content-Length"]
        headers = SIPHeaders(
            head.fields.filter { field in !held.contains { SIPHeaderName.isSame($0, field.name) } })
    }

    /// Fields whose grammar allows one value only and that are used here.
    private static let once = [
        "Max-Forwards", "Content-Length", "Content-Type", "Expires", "Min-Expires", "Session-Expires", "Min-SE", "RSeq",
        "RAck", "Event", "Refer-To",
    ]

    private static func single(_ name: String, _ head: MessageHead) throws(SIPParseError) -> String {
        let values = head.all(name)
        guard let value = values.first else { throw SIPParseError(.badRequest, "\(name) is missing") }
        guard values.count == 1 else { throw SIPParseError(.badRequest, "\(name) stands twice") }
        return value
    }

    private static func read<Value>(
        _ name: String, _ value: String, _ parse: (String) throws(SIPSyntaxError) -> Value
    ) throws(SIPParseError) -> Value {
        do throws(SIPSyntaxError) { return try parse(value) } catch {
            throw SIPParseError(.badRequest, "\(name): \(error)")
        }
    }
}

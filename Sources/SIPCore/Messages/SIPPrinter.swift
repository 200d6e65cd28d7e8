// Messages as they are sent.

/// Writes messages: the values that every message has first, as RFC 3261 section 7.3.1 recommends, then the header
/// fields in their order, and a Content-Length that is always right.
struct SIPPrinter {
    private(set) var bytes: [UInt8] = []

    init(startLine: String) {
        bytes.reserveCapacity(1024)
        line(startLine)
    }

    init(startLine: String, vias: [Via], from: NameAddress, to: NameAddress, callID: String, cseq: CSeq) {
        self.init(startLine: startLine)
        for via in vias { field("Via", via.description) }
        field("From", from.description)
        field("To", to.description)
        field("Call-ID", callID)
        field("CSeq", cseq.description)
    }

    mutating func finish(_ headers: SIPHeaders, body: [UInt8]) -> [UInt8] {
        for header in headers.fields { field(header.name, header.value) }
        field("Content-Length", String(body.count))
        line("")
        bytes += body
        return bytes
    }

    mutating func field(_ name: String, _ value: String) {
        bytes += name.utf8
        bytes += ": ".utf8
        line(value)
    }

    /// A line break within a value would start a field of its own, so it is written as a space.
    mutating func line(_ text: String) {
        for byte in text.utf8 { bytes.append(byte == 0x0d || byte == 0x0a ? 0x20 : byte) }
        bytes += [0x0d, 0x0a]
    }
}

extension SIPRequest {
    /// As it is sent.
    public var bytes: [UInt8] {
        var printer = SIPPrinter(
            startLine: "\(method.name) \(uri) SIP/2.0", vias: vias, from: from, to: to, callID: callID, cseq: cseq)
        return printer.finish(headers, body: body)
    }
}

extension SIPResponse {
    /// As it is sent.
    public var bytes: [UInt8] {
        var printer = SIPPrinter(
            startLine: "SIP/2.0 \(status.code) \(status.phrase)", vias: vias, from: from, to: to, callID: callID,
            cseq: cseq)
        return printer.finish(headers, body: body)
    }
}

// The answer to a request that could not be parsed.

public import RTPWire

/// The known parts of a malformed request, as far as an answer needs them.
public struct SIPErrorReply: Hashable, Sendable {
    /// The topmost Via, as far as it could be read: where the answer goes.
    public var via: Via
    /// The fields that an answer copies (RFC 3261 section 8.2.6.2), as they were written: Via, From, To, Call-ID, CSeq.
    public var fields: [SIPHeaders.Field]
    /// True if the topmost Via could be read as a whole, so that `received` and `rport` can be added to it.
    var isViaComplete: Bool

    /// The answer as it is sent. Where the topmost Via could be read, the source is noted in it (`Via.noteSource`).
    ///
    /// - Parameters:
    ///   - tag: what goes into To, where To can be read and has none.
    ///   - source: where the request came from.
    public func bytes(
        _ status: SIPStatus, tag: String, from source: IPAddress, transportPort: UInt16, headers: SIPHeaders = [:]
    ) -> [UInt8] {
        var printer = SIPPrinter(startLine: "SIP/2.0 \(status.code) \(status.phrase)")
        var isFirstVia = true
        for field in fields {
            var value = field.value
            if field.name == "Via", isFirstVia {
                isFirstVia = false
                if isViaComplete {
                    var top = via
                    top.noteSource(source, transportPort: transportPort)
                    value = ([top.description] + ValueList.items(of: value).dropFirst()).joined(separator: ", ")
                }
            }
            if field.name == "To", var to = try? NameAddress(value), to.tag == nil {
                to.tag = tag
                value = to.description
            }
            printer.field(field.name, value)
        }
        return printer.finish(headers, body: [])
    }
}

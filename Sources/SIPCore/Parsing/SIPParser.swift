// From bytes to messages.

/// Reads whole messages.
public enum SIPParser {
    /// Reads the message in a datagram: a Content-Length below what is there cuts the rest off, one above is an error
    /// (RFC 3261 section 18.3), and none means all of it.
    ///
    /// - Returns: nil for a datagram of line ends or zeros only, as it is sent to keep a binding alive.
    public static func parse(
        datagram: some Collection<UInt8>, limits: SIPLimits = SIPLimits()
    ) throws(SIPParseError) -> SIPMessage? {
        let bytes = Array(datagram)
        guard bytes.contains(where: { $0 != 0 }), let head = MessageHead(bytes[...], limits: limits) else { return nil }
        let rest = bytes[head.length...]
        return try message(head, limits: limits) { () throws(SIPParseError) in
            guard head.length <= limits.headerBytes, rest.count <= limits.bodyBytes else {
                throw SIPParseError(.messageTooLarge, "\(bytes.count) bytes are too many")
            }
            guard let length = try head.contentLength else { return Array(rest) }
            guard length <= rest.count else {
                throw SIPParseError(.badRequest, "Content-Length \(length) is more than the \(rest.count) bytes there")
            }
            return Array(rest.prefix(length))
        }
    }

    /// Reads the message whose head is given, and asks for its body when the rest is known to be good.
    static func message(
        _ head: MessageHead, limits: SIPLimits, body: () throws(SIPParseError) -> [UInt8]
    ) throws(SIPParseError) -> SIPMessage {
        do throws(SIPParseError) {
            let start = try StartLine(head.startLine)
            if let problem = head.problem { throw problem }
            let values = try CommonFields(head, limits: limits)
            switch start {
            case .request(let method, let uriText):
                guard values.cseq.method == method else {
                    throw SIPParseError(.badRequest, "CSeq names \(values.cseq.method.name) in a \(method.name)")
                }
                let uri: SIPURI
                do throws(SIPSyntaxError) { uri = try SIPURI(uriText) } catch {
                    throw SIPParseError(.badRequest, "the Request-URI: \(error)")
                }
                if uri.headers != nil { throw SIPParseError(.badRequest, "the Request-URI has header fields") }
                return .request(
                    SIPRequest(
                        method, uri, vias: values.vias, from: values.from, to: values.to, callID: values.callID,
                        sequence: values.cseq.sequence, headers: values.headers, body: try body()))
            case .response(let status):
                return .response(
                    SIPResponse(
                        status, vias: values.vias, from: values.from, to: values.to, callID: values.callID,
                        cseq: values.cseq, headers: values.headers, body: try body()))
            }
        } catch {
            throw answerable(error, head)
        }
    }

    /// The error with what its answer is made of, where there is somebody to answer.
    static func answerable(_ error: SIPParseError, _ head: MessageHead) -> SIPParseError {
        var error = error
        if error.status == .badRequest { error.status.phrase = "Bad Request (\(error))" }
        let isAcknowledgement = head.startLine.utf8.starts(with: "ACK ".utf8)
        guard !StartLine.isResponse(head.startLine), !isAcknowledgement, let first = head.all("Via").first else {
            return error
        }
        let whole = (try? Via.list(first))?.first
        guard let via = whole ?? (try? Via(salvagedFrom: first)) else { return error }
        let names = ["Via", "From", "To", "Call-ID", "CSeq"]
        var fields = head.fields.filter { field in names.contains { SIPHeaderName.isSame($0, field.name) } }
        for index in fields.indices {
            fields[index].name = names.first { SIPHeaderName.isSame($0, fields[index].name) } ?? fields[index].name
        }
        error.reply = SIPErrorReply(via: via, fields: fields, isViaComplete: whole != nil)
        return error
    }
}

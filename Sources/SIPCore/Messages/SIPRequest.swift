// A request, from either side.

/// A request (RFC 3261 section 7.1). The fields that every message has are values; the rest are `headers`.
public struct SIPRequest: Hashable, Sendable {
    public var method: SIPMethod
    public var uri: SIPURI
    /// Topmost first.
    public var vias: [Via]
    public var from: NameAddress
    public var to: NameAddress
    public var callID: String
    /// The number of CSeq, whose method is the request's.
    public var sequence: UInt32
    public var headers: SIPHeaders
    public var body: [UInt8]

    public init(
        _ method: SIPMethod, _ uri: SIPURI, vias: [Via] = [], from: NameAddress, to: NameAddress, callID: String,
        sequence: UInt32, headers: SIPHeaders = [:], body: [UInt8] = []
    ) {
        self.method = method
        self.uri = uri
        self.vias = vias
        self.from = from
        self.to = to
        self.callID = callID
        self.sequence = sequence
        self.headers = headers
        self.body = body
    }

    public var cseq: CSeq { CSeq(sequence, method) }

    /// The URI that a request outside of a dialog is to be sent to: the first Route, or the Request-URI (RFC 3261
    /// section 8.1.2). Within a dialog only `Dialog.nextHop` knows, since a strict router is in the Request-URI.
    public var nextHop: SIPURI {
        guard let route = (try? headers.addresses("Route"))?.first, route.uri.isLooseRouter else { return uri }
        return route.uri
    }
}

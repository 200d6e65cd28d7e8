// A response, from either side.

/// A response (RFC 3261 section 7.2). The fields that every message has are values; the rest are `headers`.
public struct SIPResponse: Hashable, Sendable {
    public var status: SIPStatus
    /// Topmost first.
    public var vias: [Via]
    public var from: NameAddress
    public var to: NameAddress
    public var callID: String
    public var cseq: CSeq
    public var headers: SIPHeaders
    public var body: [UInt8]

    public init(
        _ status: SIPStatus, vias: [Via], from: NameAddress, to: NameAddress, callID: String, cseq: CSeq,
        headers: SIPHeaders = [:], body: [UInt8] = []
    ) {
        self.status = status
        self.vias = vias
        self.from = from
        self.to = to
        self.callID = callID
        self.cseq = cseq
        self.headers = headers
        self.body = body
    }

    /// The answer to a request (RFC 3261 section 8.2.6.2): `tag` goes into To where it has none, but never into a 100.
    public init(
        _ status: SIPStatus, to request: SIPRequest, tag: String?, headers: SIPHeaders = [:], body: [UInt8] = []
    ) {
        self.init(
            status, vias: request.vias, from: request.from, to: request.to, callID: request.callID, cseq: request.cseq,
            headers: headers, body: body)
        if status.code == 100 {
            self.headers["Timestamp"] = request.headers["Timestamp"]
            return
        }
        if to.tag == nil { to.tag = tag }
        // The proxies that want to stay on the way (section 12.1.1).
        if request.method == .invite, status.code < 300 {
            self.headers.set("Record-Route", request.headers.all("Record-Route"))
        }
    }
}

// A relation between two user agents.

/// A dialog that an INVITE has made (RFC 3261 section 12).
public struct Dialog: Hashable, Sendable, Codable {
    public enum State: String, Hashable, Sendable, Codable {
        case early, confirmed, terminated
    }

    public let id: DialogID
    public private(set) var state: State
    /// The identity of this node in the dialog: From of its requests, tag included.
    public let localAddress: NameAddress
    /// The identity of the peer: To of this node's requests, tag included.
    public let remoteAddress: NameAddress
    /// The location of the peer: the Request-URI of requests to it.
    public private(set) var remoteTarget: SIPURI
    /// The proxies between, nearest first.
    public private(set) var routeSet: [NameAddress]
    /// CSeq of this node's last request.
    public private(set) var localSequence: UInt32
    /// CSeq of the peer's last request; nil before the first.
    public private(set) var remoteSequence: UInt32?
    /// True if the dialog was made by a request to sips over TLS, so that Contacts must be sips.
    public let isSecure: Bool

    /// The client's side: a response from 101 to 299 came to the INVITE `request` (section 12.1.2).
    ///
    /// - Returns: nil where the response makes no dialog: no tag in To, or no Contact that can be used.
    public init?(sent request: SIPRequest, received response: SIPResponse) {
        guard response.status.code > 100, response.status.code < 300, let localTag = request.from.tag,
            let remoteTag = response.to.tag, let contact = response.headers.contact
        else { return nil }
        id = DialogID(callID: request.callID, localTag: localTag, remoteTag: remoteTag)
        state = response.status.isSuccess ? .confirmed : .early
        localAddress = request.from
        remoteAddress = response.to
        remoteTarget = contact.uri
        routeSet = Self.recordedRoute(response.headers).reversed()
        localSequence = request.sequence
        remoteSequence = nil
        isSecure = request.uri.scheme == .sips
    }

    /// The client's side of a 2xx to the INVITE `request`, whatever it lacks: it is acknowledged and ended all the same (section 13.2.2.4),
    /// at the place that the INVITE went to where it has no Contact.
    public init?(ending request: SIPRequest, received response: SIPResponse) {
        guard response.status.isSuccess, let localTag = request.from.tag else { return nil }
        id = DialogID(callID: request.callID, localTag: localTag, remoteTag: response.to.tag)
        state = .confirmed
        localAddress = request.from
        remoteAddress = response.to
        remoteTarget = response.headers.contact?.uri ?? request.uri
        routeSet = Self.recordedRoute(response.headers).reversed()
        localSequence = request.sequence
        remoteSequence = nil
        isSecure = request.uri.scheme == .sips
    }

    /// The server's side: the INVITE `request` is answered with `tag` (section 12.1.1).
    ///
    /// - Returns: nil where the request has no Contact, without which nothing can be sent to the peer: answer 400.
    public init?(received request: SIPRequest, tag: String, state: State) {
        guard let contact = request.headers.contact else { return nil }
        id = DialogID(callID: request.callID, localTag: tag, remoteTag: request.from.tag)
        self.state = state
        var to = request.to
        to.tag = tag
        localAddress = to
        remoteAddress = request.from
        remoteTarget = contact.uri
        routeSet = Self.recordedRoute(request.headers)
        localSequence = 0
        remoteSequence = request.sequence
        isSecure = request.uri.scheme == .sips
    }

    /// Parsed messages have a Record-Route that can be read.
    private static func recordedRoute(_ headers: SIPHeaders) -> [NameAddress] {
        (try? headers.addresses("Record-Route")) ?? []
    }

    // MARK: Sending

    /// The URI that requests of this node go to: the first router, strict or loose, or the target (section 12.2.1.1).
    public var nextHop: SIPURI { routeSet.first?.uri ?? remoteTarget }

    /// The next request within the dialog (section 12.2.1.1); it still needs the fields of its purpose, as Contact.
    public mutating func request(
        _ method: SIPMethod, via: Via, headers: SIPHeaders = [:], body: [UInt8] = []
    ) -> SIPRequest {
        precondition(method != .ack && method != .cancel, "ACK and CANCEL take the number of their INVITE")
        localSequence += 1
        return request(method, sequence: localSequence, via: via, headers: headers, body: body)
    }

    /// The ACK of a 2xx to the INVITE with this number (section 13.2.2.4); its branch is new.
    public func acknowledgement(
        of sequence: UInt32, via: Via, headers: SIPHeaders = [:], body: [UInt8] = []
    ) -> SIPRequest {
        request(.ack, sequence: sequence, via: via, headers: headers, body: body)
    }

    private func request(
        _ method: SIPMethod, sequence: UInt32, via: Via, headers: SIPHeaders, body: [UInt8]
    ) -> SIPRequest {
        var uri = remoteTarget
        var route = routeSet
        if let first = routeSet.first, !first.uri.isLooseRouter {
            // A strict router wants itself in the Request-URI, and finds the target at the end of Route.
            uri = first.uri
            route = routeSet.dropFirst() + [NameAddress(remoteTarget)]
        }
        // Parts that a Contact or a Route may have, and a Request-URI may not (section 19.1.1).
        uri.headers = nil
        uri.parameters["method"] = nil
        var all: SIPHeaders = ["Max-Forwards": "70"]
        for address in route { all.append("Route", address.description) }
        for field in headers.fields { all.append(field.name, field.value) }
        return SIPRequest(
            method, uri, vias: [via], from: localAddress, to: remoteAddress, callID: id.callID, sequence: sequence,
            headers: all, body: body)
    }

    /// Leaves numbers out, after a restart that may have lost the last ones.
    public mutating func skipSequence(by count: UInt32) { localSequence += count }

    // MARK: Receiving

    /// Judges a request of the peer that is not a retransmission (section 12.2.2).
    ///
    /// - Returns: what to answer where it came out of order; nil where it is to be carried out.
    public mutating func receive(_ request: SIPRequest) -> SIPRefusal? {
        // ACK and CANCEL have the number of their INVITE.
        if request.method == .ack || request.method == .cancel { return nil }
        if let last = remoteSequence, request.sequence <= last { return SIPRefusal(.serverInternalError) }
        remoteSequence = request.sequence
        return nil
    }

    /// Takes the target of a request of the peer that this node has accepted with a 2xx, or of the peer's 2xx.
    public mutating func refreshTarget(_ method: SIPMethod, _ headers: SIPHeaders) {
        if method.isTargetRefresh, let contact = headers.contact { remoteTarget = contact.uri }
    }

    /// The peer has answered a request of this node within the dialog.
    ///
    /// 481 and 408 end the dialog, as do other failures that say that it is unknown (section 12.2.1.2, RFC 5057
    /// section 5.1). Any other failure, 488 to a re-INVITE above all, leaves dialog and session as they were.
    public mutating func receive(_ response: SIPResponse) {
        if response.status.isSuccess { refreshTarget(response.cseq.method, response.headers) }
        if Self.endsDialog(response.status) { state = .terminated }
    }

    /// True if a failure of a request within a dialog means that the dialog does not exist any more.
    public static func endsDialog(_ status: SIPStatus) -> Bool {
        [404, 408, 410, 416, 481, 482, 483, 484, 485, 502, 604].contains(status.code)
    }

    /// The server has sent its 2xx.
    public mutating func confirm() { if state == .early { state = .confirmed } }

    /// The client has got the 2xx of the INVITE that made this early dialog: the route is computed again
    /// (section 13.2.2.4).
    public mutating func confirm(with response: SIPResponse) {
        guard state == .early else { return }
        state = .confirmed
        if let contact = response.headers.contact { remoteTarget = contact.uri }
        routeSet = Self.recordedRoute(response.headers).reversed()
    }

    /// A BYE was sent or received, or the session has expired.
    public mutating func terminate() { state = .terminated }
}

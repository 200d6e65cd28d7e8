// Assignment of messages to transactions.

/// The key that identifies a transaction (RFC 3261 sections 17.1.3 and 17.2.3).
enum TransactionKey: Hashable, Sendable {
    /// A client's: branch, and the method of CSeq.
    case client(branch: String, method: SIPMethod)
    /// A server's: branch, who chose it, and the method, ACK counting as INVITE.
    case server(branch: String, sentBy: String, method: SIPMethod)
    /// A server's whose client speaks RFC 2543: everything that a retransmission has in common with the request.
    case old(uri: String, fromTag: String?, callID: String, sequence: UInt32, via: String, method: SIPMethod)

    /// True if the client speaks RFC 2543.
    var isOld: Bool { if case .old = self { true } else { false } }

    /// The key of the server transaction that a request creates or belongs to, as if its method were `method`.
    init?(server request: SIPRequest, as method: SIPMethod? = nil) {
        guard let via = request.vias.first else { return nil }
        let named = method ?? request.method
        let method = named == .ack ? SIPMethod.invite : named
        if let branch = via.branch {
            let port = via.sentBy.transportPort ?? via.transport.defaultPort
            self = .server(branch: branch, sentBy: "\(via.sentBy.host)".lowercased() + ":\(port)", method: method)
        } else {
            self = .old(
                uri: request.uri.description, fromTag: request.from.tag, callID: request.callID,
                sequence: request.sequence, via: via.description, method: method)
        }
    }

    /// The key of the client transaction that a response belongs to.
    init?(client response: SIPResponse) {
        guard let branch = response.vias.first?.branch else { return nil }
        self = .client(branch: branch, method: response.cseq.method)
    }

    /// The key of the client transaction that a request creates.
    init?(client request: SIPRequest) {
        guard let branch = request.vias.first?.branch else { return nil }
        self = .client(branch: branch, method: request.method)
    }
}

// Requests that follow from another: ACK of a failure, and CANCEL.

extension SIPRequest {
    /// Leaves out what is long: thousands of transactions wait for repeated messages half a minute after their end.
    mutating func shed() {
        headers = [:]
        body = []
    }

    /// The ACK of a final response that is not a 2xx: it belongs to the INVITE's transaction (RFC 3261 section 17.1.1.3).
    public func acknowledgement(ofFailure response: SIPResponse) -> SIPRequest {
        var acknowledgement = derived(.ack)
        acknowledgement.to = response.to
        return acknowledgement
    }

    /// The CANCEL of this request (section 9.1): only an INVITE that has got a provisional response may be cancelled.
    public func cancellation() -> SIPRequest {
        precondition(method == .invite, "only an INVITE can be cancelled")
        return derived(.cancel)
    }

    /// Request-URI, topmost Via, Call-ID, From, To, CSeq number and Route of this request.
    private func derived(_ method: SIPMethod) -> SIPRequest {
        var headers: SIPHeaders = ["Max-Forwards": "70"]
        for route in self.headers.all("Route") { headers.append("Route", route) }
        return SIPRequest(
            method, uri, vias: Array(vias.prefix(1)), from: from, to: to, callID: callID, sequence: sequence,
            headers: headers)
    }
}

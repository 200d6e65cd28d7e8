// Place at which a peer is reached within a dialog: where it has said, or where it is.

public import RTPWire

/// The destination of this node's requests within a dialog.
public enum PeerReach: Hashable, Sendable, Codable {
    /// The place that Record-Route or Contact names (RFC 3261 section 12.2.1.1).
    case named
    /// The address that the peer signals from, at this UDP or TCP port: it is behind a NAT, or names a place at which it is not.
    case origin(transportPort: UInt16)
}

extension SIPRequest {
    /// True if the nearest sender does not know the place that its messages come from: its Via names another address or, where it
    /// asks for `rport` (RFC 3581), another UDP port. A Contact with a third UDP port of that address names one that is meant.
    public func isTranslated(from source: IPAddress, transportPort: UInt16) -> Bool {
        guard let via = vias.first else { return false }
        if let address = via.sentBy.host.address, address != source { return true }
        let sender = via.sentBy.transportPort ?? via.transport.defaultPort
        guard via.transport == .udp, via.parameters.contains("rport"), sender != transportPort else { return false }
        guard let place = headers.contact?.uri.place, place.host.address == source else { return true }
        return (place.transportPort ?? via.transport.defaultPort) == sender
    }

    /// The place at which the sender of this request within a dialog is reached, or of the INVITE that begins one.
    ///
    /// A device whose messages pass a NAT is where they come from. So is one whose own Contact names another address: only behind a
    /// proxy (a second Via, or Record-Route) is the device elsewhere than what signals.
    ///
    /// - Parameter known: The reach so far, which counts where the request has no Contact.
    public func reach(from source: IPAddress, transportPort: UInt16, known: PeerReach = .named) -> PeerReach {
        if isTranslated(from: source, transportPort: transportPort) { return .origin(transportPort: transportPort) }
        guard let via = vias.first, vias.count == 1, headers.all("Record-Route").isEmpty else { return .named }
        let isElsewhere: Bool
        if let contact = headers.contact {
            isElsewhere = contact.uri.place?.host.address.map { $0 != source } ?? false
        } else {
            isElsewhere = known != .named
        }
        guard isElsewhere else { return .named }
        guard via.transport == .udp, !via.parameters.contains("rport") else {
            return .origin(transportPort: transportPort)
        }
        // It takes requests where it takes responses.
        return .origin(transportPort: via.sentBy.transportPort ?? via.transport.defaultPort)
    }
}

// Media of a call with one callee.

import SDP

/// One branch: its descriptions and UDP ports.
struct BranchMedia {
    let callee: MediaPeer
    /// The callee-side UDP ports, which the dialogs of one INVITE share.
    var places: MediaPlaces
    var negotiation: MediaNegotiation
    /// As it was when the callee had been offered and had not answered: what other dialogs of the INVITE answer.
    var offered: Offered?
    /// The place at which each medium is received, as far as is agreed.
    var inForce: [SIPSide: [Int: LocalPlace]] = [:]
    /// The place at which each medium would be received on the side that has an offer to answer.
    var pendingPlaces: [Int: LocalPlace] = [:]

    struct Offered {
        var negotiation: MediaNegotiation
        var places: [Int: LocalPlace]
    }

    init(callee: MediaPeer, places: MediaPlaces, negotiation: MediaNegotiation) {
        self.callee = callee
        self.places = places
        self.negotiation = negotiation
    }
}

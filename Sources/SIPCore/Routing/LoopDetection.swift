// Requests that come back.

/// Tells loops from spirals. A back-to-back user agent passes no Via on, and gives each side its own Call-ID and tags,
/// so the mark in the branch covers what a loop leaves as it is: Request-URI, From and To without tags (RFC 3261
/// section 16.3 item 4, and RFC 7332 for Max-Forwards).
public enum LoopDetection {
    /// The branch of a request that is sent because `incoming` was received: cookie, mark, and what makes it unique.
    ///
    /// - Parameter unique: random text of token characters, 16 or more of them.
    public static func branch(for incoming: SIPRequest?, unique: String) -> String {
        guard let incoming else { return "\(Via.magicCookie)\(unique)" }
        return "\(Via.magicCookie)\(mark(of: incoming))-\(unique)"
    }

    /// True if the request went through this node before, with the same Request-URI.
    ///
    /// - Parameter ownPlaces: what this node writes into its Vias.
    public static func isLoop(_ request: SIPRequest, ownPlaces: [SIPHostPort]) -> Bool {
        let prefix = "\(Via.magicCookie)\(mark(of: request))-"
        return request.vias.contains { via in
            guard let branch = via.branch, branch.hasPrefix(prefix) else { return false }
            return ownPlaces.contains { $0.isEquivalent(to: via.sentBy, for: via.transport) }
        }
    }

    /// The Max-Forwards of a request that is sent because `incoming` was received: one less, 70 where it has none
    /// (section 16.6 item 3).
    public static func maxForwards(after incoming: SIPRequest) -> UInt8 {
        incoming.headers.maxForwards.map { $0 == 0 ? 0 : $0 - 1 } ?? 70
    }

    /// FNV-1a over the parts that a loop does not change.
    private static func mark(of request: SIPRequest) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for text in [request.uri.description, request.from.uri.description, request.to.uri.description] {
            for byte in text.utf8 + [0] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        return String(hash, radix: 16)
    }
}

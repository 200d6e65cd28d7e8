// The description of one side, as the other side gets it.

public import RTPWire
public import SDP

/// Writes what one peer has described for the other peer: this node's own `o=`, its places instead of the peer's,
/// nothing that leads around it, and everything else byte for byte.
///
/// One rewriter represents the description that this node gives to one peer; it counts the version of its `o=`.
public struct SessionRewriter: Hashable, Sendable {
    private var origin: SDPOrigin
    /// The description that was written last.
    public private(set) var last: SessionDescription?

    /// - Parameter sessionIdentifier: a number that is unique for this node, as the time of the call in NTP format.
    public init(sessionIdentifier: UInt64, address: IPAddress) {
        origin = SDPOrigin(
            sessionIdentifier: String(sessionIdentifier), sessionVersion: "0",
            addressType: address.family == .ipv4 ? "IP4" : "IP6", address: address.description)
    }

    /// Goes on where another one had written `last`, which has an `o=` line.
    public init?(continuing last: SessionDescription) {
        guard let origin = last.origin else { return nil }
        self.origin = origin
        self.last = last
    }

    /// Rewrites a description.
    ///
    /// - Parameters:
    ///   - places: where this node receives each medium; nil refuses it (UDP port 0). Media that the peer has refused
    ///     stay so.
    ///   - allowsKeys: whether keys may be passed on, which they may over TLS only; without them, secured media are
    ///     refused.
    public mutating func rewrite(
        _ description: SessionDescription, places: [MediaPlace?], allowsKeys: Bool
    ) -> SessionDescription {
        precondition(places.count == description.media.count, "every medium needs a place or a nil")
        var result = description
        result.lines.removeAll { Self.leadsAround($0) || Self.groupsBundle($0) }
        if !allowsKeys { result.lines.removeAll(where: Self.isKey) }
        // A group is written with its medium, where its time to live is.
        let addresses = places.compactMap { $0?.address }.filter { !$0.isMulticast }
        let sessionAddress = description.connection == nil ? nil : addresses.first ?? IPAddress(origin.address)
        if let sessionAddress { result.connection = SDPConnection(sessionAddress) }
        result.sourceFilter = nil
        for index in description.media.indices {
            let wasRefused = description.media[index].udpPort == 0
            let isSecured = Self.isSecured(description.media[index])
            let place = wasRefused || isSecured && !allowsKeys ? nil : places[index]
            let direction = Self.effectiveDirection(of: description.media[index], in: description)
            Self.rewrite(&result.media[index], place, direction: direction, sessionAddress: sessionAddress)
        }
        origin.sessionVersion = last?.origin?.sessionVersion ?? "1"
        result.origin = origin
        if let last, last != result {
            origin.incrementVersion()
            result.origin = origin
        }
        last = result
        return result
    }

    private static func rewrite(
        _ medium: inout MediaDescription, _ place: MediaPlace?, direction: MediaDirection?, sessionAddress: IPAddress?
    ) {
        medium.lines.removeAll(where: leadsAround)
        medium.removeAttributes(named: "bundle-only")
        medium.sourceFilter = nil
        medium.portCount = 1
        // Keys that do not belong to the transport would promise what nobody keeps.
        if !isSecured(medium) { medium.lines.removeAll(where: isKey) }
        guard let place else {
            medium.lines.removeAll(where: isKey)
            medium.udpPort = 0
            medium.rtcp = nil
            medium.connection = nil
            if sessionAddress == nil { medium.connection = SDPConnection(IPAddress(0, 0, 0, 0)) }
            return
        }
        medium.udpPort = place.udpPort
        let needsOwn = sessionAddress != place.address
        medium.connection = needsOwn || medium.connection != nil ? SDPConnection(place.address, ttl: place.ttl) : nil
        if !place.allowsMultiplexing { medium.removeAttributes(named: "rtcp-mux") }
        let isNext = place.udpPort < .max && place.rtcpUDPPort == place.udpPort + 1
        medium.rtcp = isNext || !medium.isRTP ? nil : RTCPAttribute(udpPort: place.rtcpUDPPort)
        if let direction { medium.direction = direction }
    }

    /// The direction to state where the peer has not stated it so: `c=0.0.0.0` means that it does not receive
    /// (RFC 3264 section 8.4), and this node's own address cannot say that.
    private static func effectiveDirection(
        of medium: MediaDescription, in description: SessionDescription
    ) -> MediaDirection? {
        guard description.connection(of: medium)?.isUnspecified == true else { return nil }
        return description.direction(of: medium).sends ? .sendOnly : .inactive
    }

    /// True if a medium needs keys: SRTP in any profile.
    private static func isSecured(_ medium: MediaDescription) -> Bool { medium.transport.contains("SAVP") }

    /// ICE (RFC 8839) names addresses of the peer, by which media would go around this node; half of it is worse than
    /// none.
    private static func leadsAround(_ line: SDPLine) -> Bool {
        guard let name = line.attribute?.name.lowercased() else { return false }
        return [
            "candidate", "remote-candidates", "end-of-candidates", "ice-ufrag", "ice-pwd", "ice-options", "ice-lite",
            "ice-mismatch", "ice-pacing",
        ].contains(name)
    }

    /// BUNDLE (RFC 9143) puts several media on one address, and this node gives each its own.
    private static func groupsBundle(_ line: SDPLine) -> Bool {
        guard let attribute = line.attribute, attribute.name.lowercased() == "group" else { return false }
        return attribute.value.uppercased().hasPrefix("BUNDLE")
    }

    private static func isKey(_ line: SDPLine) -> Bool {
        guard let name = line.attribute?.name.lowercased() else { return line.type == "k" }
        return ["crypto", "fingerprint", "setup", "key-mgmt", "tls-id"].contains(name)
    }
}

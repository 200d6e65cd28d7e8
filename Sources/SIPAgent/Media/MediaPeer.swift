// Whom a side of a call is, as far as its media are concerned.

public import RTPWire

/// The peer on one side of a call.
public struct MediaPeer: Sendable {
    /// The address that its signalling comes from, or goes to.
    public var signalling: IPAddress
    /// True if the signalling hop to it is TLS: keys in descriptions may pass only where both hops are.
    public var isSecure: Bool
    /// From whom its media are taken.
    public var sources: MediaSources
    /// Of who is called: who encrypts the call's media.
    public var protection: MediaProtection
    /// True if media may be sent to an address on its behalf.
    public var allows: @Sendable (IPAddress) -> Bool

    public init(
        signalling: IPAddress, isSecure: Bool = false, sources: MediaSources = .strict,
        protection: MediaProtection = .relay, allows: @escaping @Sendable (IPAddress) -> Bool
    ) {
        self.signalling = signalling
        self.isSecure = isSecure
        self.sources = sources
        self.protection = protection
        self.allows = allows
    }

    /// True for a private address that the peer names and nothing may be sent to, where the source of its media is learned: the peer is
    /// behind a NAT, and its media come from where it signals, and go back there.
    func hides(_ address: IPAddress) -> Bool {
        sources == .learn && address.isPrivate && address != signalling && address.family == signalling.family
            && !allows(address) && allows(signalling)
    }
}

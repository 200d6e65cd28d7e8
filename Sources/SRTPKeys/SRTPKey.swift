// A master key of SRTP and what belongs to it, whoever negotiated it.

/// One master key for the packets of one direction (RFC 3711 section 3.2).
///
/// Printing, interpolating or dumping one shows no secret; `SRTPKeyText` writes it for files that only their owner reads.
public struct SRTPKey: Hashable, Sendable {
    public let profile: SRTPProfile
    /// `profile.masterKeyLength` bytes.
    public let masterKey: [UInt8]
    /// `profile.masterSaltLength` bytes.
    public let masterSalt: [UInt8]
    /// The master key identifier that each packet carries, as on the wire; empty for none.
    public let identifier: [UInt8]
    /// The SSRC that `rolloverCounter` is of, in host order; nil for whichever comes.
    public let ssrc: UInt32?
    /// The number of times that the sequence number has wrapped before the first packet that is sent or received with
    /// the key: for one who joins late (RFC 3711 section 3.3.1).
    public let rolloverCounter: UInt32
    /// SRTP packets that the key may be used for (RFC 3711 section 9.2, at most 2^48); nil for that limit.
    public let lifetime: UInt64?

    /// The longest identifier that is supported, in bytes.
    public static let longestIdentifier = 16
    /// RFC 3711 section 9.2.
    public static let longestLifetime: UInt64 = 1 << 48

    /// - Throws: where a length is not the profile's.
    public init(
        _ profile: SRTPProfile, masterKey: [UInt8], masterSalt: [UInt8], identifier: [UInt8] = [], ssrc: UInt32? = nil,
        rolloverCounter: UInt32 = 0, lifetime: UInt64? = nil
    ) throws(SRTPKeyError) {
        guard masterKey.count == profile.masterKeyLength else {
            throw .keyLength(profile, masterKey.count)
        }
        guard masterSalt.count == profile.masterSaltLength else {
            throw .saltLength(profile, masterSalt.count)
        }
        guard identifier.count <= Self.longestIdentifier else { throw .identifierLength(identifier.count) }
        if let lifetime, !(1...Self.longestLifetime).contains(lifetime) { throw .lifetime(lifetime) }
        self.profile = profile
        self.masterKey = masterKey
        self.masterSalt = masterSalt
        self.identifier = identifier
        self.ssrc = ssrc
        self.rolloverCounter = rolloverCounter
        self.lifetime = lifetime
    }

    /// The same key from another moment of its stream on.
    public func starting(ssrc: UInt32?, rolloverCounter: UInt32) -> SRTPKey {
        SRTPKey(self, ssrc: ssrc, rolloverCounter: rolloverCounter)
    }

    private init(_ key: SRTPKey, ssrc: UInt32?, rolloverCounter: UInt32) {
        profile = key.profile
        masterKey = key.masterKey
        masterSalt = key.masterSalt
        identifier = key.identifier
        lifetime = key.lifetime
        self.ssrc = ssrc
        self.rolloverCounter = rolloverCounter
    }
}

extension SRTPKey {
    /// By how many bytes an RTP packet grows that is encrypted with the key: tag and MKI.
    public var overhead: Int { profile.tagLength + identifier.count }
}

extension SRTPKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The profile, and that there is a key.
    public var description: String { "\(profile.rawValue) (secret)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["profile": profile.rawValue]) }
}

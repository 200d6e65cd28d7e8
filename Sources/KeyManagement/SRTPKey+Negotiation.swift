// Master keys as peers exchange them, and new ones.

public import SRTPKeys

extension SRTPProfile {
    /// In the order in which this node offers them: what does cipher and authentication in one first, short tags last.
    public static let preferred: [SRTPProfile] = [
        .aeadAES256GCM, .aeadAES128GCM, .aesCM256HMACSHA1_80, .aesCM128HMACSHA1_80, .aesCM256HMACSHA1_32,
        .aesCM128HMACSHA1_32,
    ]
}

extension SRTPKey {
    /// A new key.
    ///
    /// - Parameter random: gives as many random bytes as it is asked for.
    public init(
        new profile: SRTPProfile, ssrc: UInt32? = nil, random: (Int) -> [UInt8]
    ) {
        do {
            try self.init(
                profile, masterKey: random(profile.masterKeyLength), masterSalt: random(profile.masterSaltLength),
                ssrc: ssrc)
        } catch {
            preconditionFailure("random bytes come as many as are asked for: \(error)")
        }
    }

    /// Key and salt as a peer sends them, or the reason why they are none.
    static func received(
        _ profile: SRTPProfile, key: [UInt8], salt: [UInt8], identifier: [UInt8], ssrc: UInt32? = nil,
        rolloverCounter: UInt32 = 0, lifetime: UInt64? = nil
    ) throws(KeyManagementError) -> SRTPKey {
        do throws(SRTPKeyError) {
            return try SRTPKey(
                profile, masterKey: key, masterSalt: salt, identifier: identifier, ssrc: ssrc,
                rolloverCounter: rolloverCounter, lifetime: lifetime)
        } catch {
            let reason: KeyManagementError.Reason =
                switch error {
                case .identifierLength: .unsupported
                default: .keyLength
                }
            throw KeyManagementError(reason, "the peer's key \(error)")
        }
    }

    /// The same with key and salt in one, as SDES (RFC 4568 section 6.1) and many implementations of MIKEY carry them.
    static func received(
        _ profile: SRTPProfile, concatenated bytes: [UInt8], identifier: [UInt8], ssrc: UInt32? = nil,
        rolloverCounter: UInt32 = 0, lifetime: UInt64? = nil
    ) throws(KeyManagementError) -> SRTPKey {
        guard bytes.count == profile.masterKeyLength + profile.masterSaltLength else {
            throw KeyManagementError(.keyLength, "the peer's key \(SRTPKeyError.textLength(profile, bytes.count))")
        }
        return try received(
            profile, key: Array(bytes[..<profile.masterKeyLength]), salt: Array(bytes[profile.masterKeyLength...]),
            identifier: identifier, ssrc: ssrc, rolloverCounter: rolloverCounter, lifetime: lifetime)
    }
}

// From a link key to the master key of one start of one flow.

import Crypto
public import SRTPKeys

/// Derives master keys and salts by HKDF with SHA-256 (RFC 5869).
///
/// Extraction is done once. The expansion's info names the flow, which goes one way only, and the epoch, of which each start of a
/// sender has its own: no two starts have a key in common, however equal their SSRC and sequence numbers are.
public struct LinkDerivation: Sendable {
    public let profile: SRTPProfile
    private let pseudorandomKey: HashedAuthenticationCode<SHA256>
    private let flow: [UInt8]

    /// Bytes of the MKI: the epoch, and the lower half of the rollover counter, which gives a late joiner the sender's position.
    public static let identifierLength = LinkEpoch.length + 2

    /// `flow` is what both nodes call the flow.
    public init(_ key: LinkKey, flow: String) {
        profile = key.profile
        self.flow = Array(flow.utf8)
        pseudorandomKey = HKDF<SHA256>.extract(
            inputKeyMaterial: SymmetricKey(data: key.secret), salt: Array("crosspoint link 1".utf8))
    }

    /// The key of one start. Its identifier is the epoch with a rollover counter of 0.
    public func key(_ epoch: LinkEpoch) throws(SRTPKeyError) -> SRTPKey {
        let count = profile.masterKeyLength + profile.masterSaltLength
        // The flow's length in front of it: no two pairs of flow and epoch make one text.
        let info = [UInt8(truncatingIfNeeded: flow.count)] + flow + epoch.bytes + Array(profile.rawValue.utf8)
        let derived = HKDF<SHA256>.expand(
            pseudoRandomKey: pseudorandomKey, info: info, outputByteCount: count)
        let bytes = derived.withUnsafeBytes { Array($0) }
        return try SRTPKey(
            profile, masterKey: Array(bytes.prefix(profile.masterKeyLength)),
            masterSalt: Array(bytes.suffix(profile.masterSaltLength)), identifier: epoch.bytes + [0, 0])
    }
}

extension KeyMaterial {
    /// By how many bytes an RTP packet grows that is encrypted with the key: tag and MKI.
    public var overhead: Int {
        switch self {
        case .srtp(let keys): keys.first?.overhead ?? 0
        case .link: profile.tagLength + LinkDerivation.identifierLength
        }
    }
}

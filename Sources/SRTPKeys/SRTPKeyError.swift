// Reasons for which bytes or a text are not a master key.

/// The problem of a key; no case and no message holds any part of a secret.
public enum SRTPKeyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The master key has this many bytes.
    case keyLength(SRTPProfile, Int)
    /// The master salt has this many bytes.
    case saltLength(SRTPProfile, Int)
    /// Key and salt of a text have this many bytes together.
    case textLength(SRTPProfile, Int)
    case identifierLength(Int)
    case lifetime(UInt64)
    /// A link key has this many bytes, or another profile than its derivation is for.
    case linkLength(Int)
    case linkProfile(SRTPProfile)
    /// Several keys that have not one profile, or no MKIs that tell them apart.
    case indistinct
    /// The text begins with a word that is not a profile.
    case unknownProfile
    /// The text is not written as RFC 4568 has it: what is expected there.
    case syntax(String)

    /// Reads behind the name of the key's place: `has …`.
    public var description: String {
        switch self {
        case .keyLength(let profile, let count):
            "has a master key of \(count) bytes; \(profile.rawValue) takes \(profile.masterKeyLength)"
        case .saltLength(let profile, let count):
            "has a master salt of \(count) bytes; \(profile.rawValue) takes \(profile.masterSaltLength)"
        case .textLength(let profile, let count):
            "has \(count) bytes of key and salt; \(profile.rawValue) takes \(profile.masterKeyLength) of key and "
                + "\(profile.masterSaltLength) of salt behind it"
        case .identifierLength(let count):
            "has an MKI of \(count) bytes; use at most \(SRTPKey.longestIdentifier)"
        case .lifetime(let packets):
            "has a lifetime of \(packets) packets; use 1 to 2^48"
        case .linkLength(let count):
            "has \(count) bytes; a link key has \(LinkKey.secretLength)"
        case .linkProfile(let profile):
            "is a link key for \(profile.rawValue); use AEAD_AES_128_GCM or AEAD_AES_256_GCM"
        case .indistinct:
            "has keys that cannot be told apart; use up to \(KeyMaterial.mostKeys) of one profile, with different MKIs of one "
                + "length"
        case .unknownProfile:
            "begins with no profile; use one of \(SRTPProfile.allCases.map(\.rawValue).joined(separator: ", "))"
        case .syntax(let expected): "has no \(expected); write PROFILE inline:BASE64[|LIFETIME][|MKI:LENGTH]"
        }
    }
}

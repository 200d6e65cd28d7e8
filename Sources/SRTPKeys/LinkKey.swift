// The one secret that two nodes share for all flows between them.

import FoundationEssentials

/// A link key: every flow that crosses the link derives its own master keys from it.
public struct LinkKey: Hashable, Sendable {
    /// The profile that packets on the link are protected with: AES-GCM, of which the derivation is.
    public let profile: SRTPProfile
    /// 32 random bytes.
    public let secret: [UInt8]

    public static let secretLength = 32

    /// - Throws: for a secret of another length, and a profile that is not AES-GCM.
    public init(_ profile: SRTPProfile = .aeadAES128GCM, secret: [UInt8]) throws(SRTPKeyError) {
        guard profile.isAEAD else { throw .linkProfile(profile) }
        guard secret.count == Self.secretLength else { throw .linkLength(secret.count) }
        self.profile = profile
        self.secret = secret
    }

    /// A new one.
    public static func random(_ profile: SRTPProfile = .aeadAES128GCM) throws(SRTPKeyError) -> LinkKey {
        var generator = SystemRandomNumberGenerator()
        let secret = (0..<secretLength).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return try LinkKey(profile, secret: secret)
    }
}

extension LinkKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "link \(profile.rawValue) (secret)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["profile": profile.rawValue]) }
}

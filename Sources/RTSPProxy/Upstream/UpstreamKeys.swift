// The keys of an upstream's stream, as its description has them.

import Glibc
import KeyManagement
import SDP
import SRTPKeys

/// The keys that an encrypted stream comes with: by MIKEY (RFC 4567), or by SDES (RFC 4568) as a declaration, which
/// both ends encrypt with.
struct UpstreamKeys: Hashable {
    /// The keys that the upstream encrypts with.
    let peer: [SRTPKey]
    /// The key that the node encrypts its reports with.
    let own: SRTPKey
    /// The message that gives the upstream the node's key, in base64; nil where the upstream has given it to the node.
    let message: String?

    /// The keys of a medium; nil where it is not encrypted by keys in the description.
    ///
    /// - Throws: where it has none that this node can use.
    init?(of medium: MediaDescription, in description: SessionDescription) throws(KeyManagementError) {
        guard Self.isSecured(medium) else { return nil }
        let lines = medium.attributes(named: "crypto")
        // Of both, the one that gives each side a key of its own.
        guard let value = medium.attribute("key-mgmt") ?? (lines.isEmpty ? description.attribute("key-mgmt") : nil)
        else {
            peer = try CryptoNegotiation.choose(from: lines, suites: SRTPProfile.allCases).peerKeys
            own = peer[0]
            message = nil
            return
        }
        let sessions = try KeyManagementAttribute.message(in: value).streamKeys()
        guard let first = sessions.first else {
            throw KeyManagementError(.missing, "a=key-mgmt: the message is for no stream")
        }
        peer = first
        own = SRTPKey(new: first[0].profile, random: Self.randomBytes)
        message = MIKEYMessage(key: own, time: Self.time, random: Self.randomBytes).base64
    }

    /// True if a medium is SRTP, but not that of DTLS.
    static func isSecured(_ medium: MediaDescription) -> Bool {
        ["RTP/SAVP", "RTP/SAVPF"].contains(medium.transport.uppercased())
    }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// Now, as NTP.
    private static var time: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec + 2_208_988_800) << 32 | UInt64(time.tv_nsec) << 32 / 1_000_000_000
    }
}

extension SessionDescription {
    /// The description of the same media in clear: plain transports, and no keys.
    var withoutKeys: SessionDescription {
        let keys = ["crypto", "key-mgmt"]
        var result = self
        result.removeAttributes { name, _ in keys.contains(name.lowercased()) }
        for index in media.indices where UpstreamKeys.isSecured(media[index]) {
            result.media[index].removeAttributes { name, _ in keys.contains(name.lowercased()) }
            result.media[index].transport = media[index].transport.uppercased().hasSuffix("F") ? "RTP/AVPF" : "RTP/AVP"
        }
        return result
    }
}

// Reasons for which a packet could not be protected or unprotected.

import CLibSRTP

/// The errors that SRTP finds. Small and without references: it is thrown per packet.
public enum SRTPError: Error, Hashable, Sendable {
    /// The tag is not that of this packet, this key and this packet index: changed on the way, another key, another rollover counter.
    case authenticationFailure
    /// The packet's index was used before, or is too old to know (RFC 3711 section 3.3.2).
    case replay
    /// The index is too far behind the newest one: older than the replay window.
    case replayTooOld
    /// The key was used for as many packets as it may be (RFC 3711 section 9.2).
    case keyLimit
    /// The packet carries an MKI that no key has, or comes from an SSRC that the key is not for.
    case unknownKey
    /// Not as long as its own header says, or not RTP or RTCP at all.
    case malformed
    /// More SSRCs than are kept apart.
    case tooManySources
    /// Another thread used the key for too long.
    case busy
    /// The library refused for another reason: its number.
    case library(UInt8)

    init(_ status: srtp_err_status_t) {
        self =
            switch status {
            case srtp_err_status_auth_fail, srtp_err_status_cipher_fail: .authenticationFailure
            case srtp_err_status_replay_fail: .replay
            case srtp_err_status_replay_old, srtp_err_status_pkt_idx_old: .replayTooOld
            case srtp_err_status_key_expired: .keyLimit
            case srtp_err_status_bad_mki, srtp_err_status_no_ctx: .unknownKey
            case srtp_err_status_parse_err, srtp_err_status_bad_param: .malformed
            default: .library(UInt8(truncatingIfNeeded: status.rawValue))
            }
    }
}

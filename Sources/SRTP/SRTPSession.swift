// The owner of libsrtp's state for one master key.

import CLibSRTP
public import SRTPKeys

/// One master key at work, for packets that are sent or for packets that come: a stream for each SSRC.
///
/// Used by one thread at a time. Packets are changed where they are; the caller has seen to the room behind them.
public struct SRTPSession: ~Copyable {
    /// The direction of packets.
    public enum Direction: Hashable, Sendable {
        case sending
        case receiving
    }

    /// Sequence numbers behind the newest one that are distinguished from repeated ones: some milliseconds of video,
    /// and RFC 3711's 64 are none.
    public static let window: UInt = 1024

    private let handle: srtp_t
    private let key: SRTPKey
    private let direction: Direction

    /// libsrtp is set up once per process.
    private static let library = srtp_init()

    /// - Throws: `library` where libsrtp cannot be set up or refuses the key.
    public init(_ key: SRTPKey, _ direction: Direction) throws(SRTPError) {
        let handle = try Self.create(key, direction)
        self.handle = handle
        self.key = key
        self.direction = direction
    }

    private static func create(_ key: SRTPKey, _ direction: Direction) throws(SRTPError) -> srtp_t {
        guard library == srtp_err_status_ok else { throw SRTPError(library) }
        var created: srtp_t?
        let status = withPolicy(key, direction, ssrc: nil) { srtp_create(&created, &$0) }
        guard status == srtp_err_status_ok, let created else { throw SRTPError(status) }
        return created
    }

    deinit { srtp_dealloc(handle) }

    private static func withPolicy(
        _ key: SRTPKey, _ direction: Direction, ssrc: UInt32?, _ body: (inout srtp_policy_t) -> srtp_err_status_t
    ) -> srtp_err_status_t {
        var policy = srtp_policy_t()
        switch key.profile {
        case .aesCM128HMACSHA1_80:
            srtp_crypto_policy_set_rtp_default(&policy.rtp)
            srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
        case .aesCM128HMACSHA1_32:
            srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp)
            srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
        case .aesCM256HMACSHA1_80:
            srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtp)
            srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtcp)
        case .aesCM256HMACSHA1_32:
            srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(&policy.rtp)
            srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtcp)
        case .aeadAES128GCM:
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
        case .aeadAES256GCM:
            srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp)
            srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp)
        }
        if let ssrc {
            policy.ssrc = srtp_ssrc_t(type: ssrc_specific, value: ssrc)
        } else {
            policy.ssrc.type = direction == .sending ? ssrc_any_outbound : ssrc_any_inbound
        }
        policy.window_size = window
        var secret = key.masterKey + key.masterSalt
        return secret.withUnsafeMutableBufferPointer { bytes in
            policy.key = bytes.baseAddress
            defer { bytes.update(repeating: 0) }
            return body(&policy)
        }
    }

    // MARK: Streams

    /// Takes note of a source before its first packet, whose sequence number wrapped `rolloverCounter` times.
    public func addSource(_ ssrc: UInt32, rolloverCounter: UInt32) throws(SRTPError) {
        let status = Self.withPolicy(key, direction, ssrc: ssrc) { srtp_add_stream(handle, &$0) }
        guard status == srtp_err_status_ok else { throw SRTPError(status) }
        try setRolloverCounter(rolloverCounter, of: ssrc)
    }

    /// Forgets a source.
    public func removeSource(_ ssrc: UInt32) { srtp_remove_stream(handle, ssrc.bigEndian) }

    /// The number of times that the sequence number of a source has wrapped; nil for one that is not known.
    public func rolloverCounter(of ssrc: UInt32) -> UInt32? {
        var counter: UInt32 = 0
        return srtp_get_stream_roc(handle, ssrc, &counter) == srtp_err_status_ok ? counter : nil
    }

    /// Sets how often the sequence number of a known source has wrapped by its next packet.
    public func setRolloverCounter(_ counter: UInt32, of ssrc: UInt32) throws(SRTPError) {
        let status = srtp_set_stream_roc(handle, ssrc, counter)
        guard status == srtp_err_status_ok else { throw SRTPError(status) }
    }

    // MARK: Packets

    /// Encrypts and authenticates an RTP packet. Returns its new length; it has room for `profile.tagLength` bytes more.
    @inline(__always)
    public func protectRTP(_ packet: UnsafeMutableRawPointer, length: Int) throws(SRTPError) -> Int {
        try apply(srtp_protect, packet, length)
    }

    /// Encrypts and authenticates an RTCP packet, which grows by the tag and 4 bytes. Returns its new length.
    @inline(__always)
    public func protectRTCP(_ packet: UnsafeMutableRawPointer, length: Int) throws(SRTPError) -> Int {
        try apply(srtp_protect_rtcp, packet, length)
    }

    /// Authenticates and decrypts an SRTP packet without an MKI. Returns its new length. After an error its bytes are of no use.
    @inline(__always)
    public func unprotectRTP(_ packet: UnsafeMutableRawPointer, length: Int) throws(SRTPError) -> Int {
        try apply(srtp_unprotect, packet, length)
    }

    /// Authenticates and decrypts an SRTCP packet without an MKI. Returns its new length.
    @inline(__always)
    public func unprotectRTCP(_ packet: UnsafeMutableRawPointer, length: Int) throws(SRTPError) -> Int {
        try apply(srtp_unprotect_rtcp, packet, length)
    }
    /// Has libsrtp change a packet where it is. Returns its new length.
    @inline(__always)
    private func apply(
        _ change: (srtp_t?, UnsafeMutableRawPointer?, UnsafeMutablePointer<CInt>?) -> srtp_err_status_t,
        _ packet: UnsafeMutableRawPointer, _ length: Int
    ) throws(SRTPError) -> Int {
        var count = CInt(truncatingIfNeeded: length)
        let status = change(handle, packet, &count)
        guard status == srtp_err_status_ok else { throw SRTPError(status) }
        return Int(count)
    }
}

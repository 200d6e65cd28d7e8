// Stream that a key is for.

/// One crypto session of the SRTP ID map (RFC 3830 section 6.1.1). Its number is its place in the map, from 1.
public struct MIKEYCryptoSession: Hashable, Sendable {
    /// The security policy that holds for it.
    public var policy: UInt8
    /// The SSRC of the stream's sender; 0 where the receiver takes any (section 6.1.1).
    public var ssrc: UInt32
    /// The rollover counter of the sender when the message was made.
    public var rolloverCounter: UInt32

    public init(policy: UInt8 = 0, ssrc: UInt32, rolloverCounter: UInt32 = 0) {
        self.policy = policy
        self.ssrc = ssrc
        self.rolloverCounter = rolloverCounter
    }
}

// A leg's copy that only has to be encrypted.

import SRTP

/// A copy in one frame, with its headers as they leave: lengths are those of the encrypted packet.
///
/// A worker collects some of them. What encryption needs of the caches is much, and what lies around it as well: one after the other
/// for each packet, both would fetch everything again each time.
struct ProtectedCopy {
    let sender: UnsafeMutablePointer<SRTPSender>
    let payload: UnsafeMutableRawPointer
    let output: UnsafeMutablePointer<Channel>
    /// The address at which the frame begins in the output's memory.
    let address: UInt64
    /// Bytes of the payload in clear.
    let payloadLength: Int32
    /// Bytes that leave, from the Ethernet header on.
    let length: Int32
    /// The leg's index.
    let leg: Int32
    let isControl: Bool
    let isIPv6: Bool
}

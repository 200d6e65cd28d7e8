// Checks and accounting of a flow's packets.

import CrosspointShim

/// Everything about a flow that is neither its key nor its legs.
public struct FlowParameters: Hashable, Sendable {
    /// The kind that the payload is taken for.
    public enum Payload: UInt8, Hashable, Sendable {
        case rtp = 0
        case rtcp = 1
        case raw = 2
    }

    /// The treatment of packets of a source that the flow does not know.
    public enum UnknownSource: Hashable, Sendable {
        /// Dropped and counted.
        case drop
        /// Dropped and counted; each source is reported with its first packet.
        case report
        /// Handed to the host and reported, to learn from.
        case toHost
    }

    /// The engine that sends the packets on.
    public enum Engine: Hashable, Sendable {
        case kernel
        /// The AF_XDP worker of port and queue, and the kernel engine while there is none.
        case afxdp
        /// The AF_XDP worker, and nobody while there is none.
        case afxdpOnly
    }

    public var payload: Payload
    /// True if RTP is accounted; without it only packets and bytes are.
    public var accounts: Bool
    /// The clock is read for sequence numbers that have none of these bits, or for packets by their number where
    /// nothing is accounted: 0 for every packet.
    public var clockMask: UInt8
    /// The RTP clock rate in Hz; nil while unknown, and then jitter is not computed.
    public var clockRate: UInt32?
    /// The rate in packets per second that the accounting's limits are scaled to.
    public var packetRate: UInt64
    public var unknownSource: UnknownSource
    /// True if the flow's first packet is reported.
    public var reportsFirstPacket: Bool
    /// True if UDP checksums are verified.
    public var verifiesChecksum: Bool
    /// True if packets go to the host after accounting.
    public var goesToHost: Bool
    /// The engine that sends the packets on, and the reason for it.
    public var engine: Engine
    public var engineReason: EngineReason
    /// True if the payload comes encrypted: nothing behind the headers is looked at.
    public var isEncrypted: Bool

    public init(
        payload: Payload = .rtp, accounts: Bool = true, clockMask: UInt8 = 0, clockRate: UInt32? = nil,
        packetRate: UInt64 = 50, unknownSource: UnknownSource = .report, reportsFirstPacket: Bool = true,
        verifiesChecksum: Bool = false, goesToHost: Bool = false, engine: Engine = .kernel,
        engineReason: EngineReason = .ordinary, isEncrypted: Bool = false
    ) {
        self.payload = payload
        self.accounts = accounts
        self.clockMask = clockMask
        self.clockRate = clockRate
        self.packetRate = packetRate
        self.unknownSource = unknownSource
        self.reportsFirstPacket = reportsFirstPacket
        self.verifiesChecksum = verifiesChecksum
        self.goesToHost = goesToHost
        self.engine = engine
        self.engineReason = engineReason
        self.isEncrypted = isEncrypted
    }

    /// RFC 3550 appendix A.1 has MAX_DROPOUT 3000 and MAX_MISORDER 100 for 50 packets a second. At studio rates the
    /// first is 12 ms and the second less than one: they grow with the rate, to an eighth of a second and 10 ms, as
    /// far as 16-bit sequence numbers and the history of received ones go.
    var maximumDropout: UInt16 { UInt16(min(max(3000, packetRate / 8), 32_000)) }
    var maximumMisorder: UInt16 {
        UInt16(min(max(100, packetRate / 100), 64 * UInt64(CROSSPOINT_HISTORY_WORDS - 2)))
    }

    /// The silence after which a 16-bit sequence number may have gone round half way, at this rate: in 2^20 ns.
    var outage: UInt32 { UInt32(max((30_000 * 1_000_000_000 / max(packetRate, 1)) >> 20, 1)) }

    /// A tick of the RTP clock in 1/65536 ns, 0 when unknown.
    var nanosecondsPerTick: UInt64 {
        guard let clockRate, clockRate > 0 else { return 0 }
        return (1_000_000_000 << 16 + UInt64(clockRate) / 2) / UInt64(clockRate)
    }

    /// The same as a flow's record has it: 48 bits.
    var tickWords: (UInt16, UInt16, UInt16) {
        let tick = min(nanosecondsPerTick, 1 << 48 - 1)
        return (
            UInt16(truncatingIfNeeded: tick), UInt16(truncatingIfNeeded: tick >> 16),
            UInt16(truncatingIfNeeded: tick >> 32)
        )
    }

    var rules: UInt32 { isEncrypted ? CROSSPOINT_RULE_ENCRYPTED.rawValue : 0 }

    var flags: UInt32 {
        func bit(_ flag: crosspoint_flow_flag, _ isSet: Bool) -> UInt32 { isSet ? flag.rawValue : 0 }
        return bit(CROSSPOINT_FLOW_RTP, payload == .rtp) | bit(CROSSPOINT_FLOW_RTCP, payload == .rtcp)
            | bit(CROSSPOINT_FLOW_ACCOUNT, accounts && payload == .rtp)
            | bit(CROSSPOINT_FLOW_REPORT_UNKNOWN, unknownSource != .drop)
            | bit(CROSSPOINT_FLOW_UNKNOWN_TO_HOST, unknownSource == .toHost)
            | bit(CROSSPOINT_FLOW_REPORT_FIRST, reportsFirstPacket)
            | bit(CROSSPOINT_FLOW_VERIFY_CHECKSUM, verifiesChecksum)
            | bit(CROSSPOINT_FLOW_TO_HOST, goesToHost) | bit(CROSSPOINT_FLOW_AFXDP, engine != .kernel)
            | bit(CROSSPOINT_FLOW_AFXDP_ONLY, engine == .afxdpOnly)
    }
}

// Specification that an operator gives a name: one source and its legs.

/// A route as it was asked for: by `route add`, by the configuration or over the control API.
public struct RouteSpecification: Hashable, Sendable {
    /// The kind of packets that the route's packets are taken for.
    public enum Payload: String, Hashable, Sendable, Codable, CaseIterable {
        /// RTP, and RTCP that shares its UDP port (RFC 5761): validated and accounted by RFC 3550.
        case rtp
        /// RTCP alone: counted as such.
        case rtcp
        /// Any UDP payload: counted in packets and bytes.
        case raw
    }

    /// The extent of the accounting per packet.
    public enum Accounting: String, Hashable, Sendable, Codable, CaseIterable {
        /// Everything, the clock read for every packet (the default).
        case full
        /// Everything, the clock read for every 8th sequence number: for video at studio rates.
        case sampled
        /// Packets and bytes only.
        case counters
    }

    /// The destination of the packets after accounting.
    public enum Delivery: String, Hashable, Sendable, Codable, CaseIterable {
        /// To the legs (the default).
        case legs
        /// To this host's own stack, and no further: to the socket that is bound to their UDP port.
        case host
    }

    /// The engine that sends the packets on.
    public enum Engine: String, Hashable, Sendable, Codable, CaseIterable {
        /// The kernel engine, unless the packets need the other one (the default).
        case auto
        /// XDP programs in the kernel.
        case kernel
        /// AF_XDP workers; and the kernel engine while none answers.
        case afxdp
    }

    /// The name, unique on the node: 1 to 63 characters of letters, digits, `-`, `_`, `.`; starts with a letter or digit.
    public var name: String
    /// The source of the packets.
    public var source: SourceSpecification
    /// The destinations of the packets: up to 512 legs. A route without legs receives and accounts, and forwards nothing.
    public var legs: [LegSpecification]
    /// The kind of packets that the packets are taken for.
    public var payload: Payload
    /// The extent of the accounting per packet.
    public var accounting: Accounting
    /// The RTP clock rate in Hz (`--clock`), or nil to recognise it from the stream.
    public var clockRate: UInt32?
    /// The rate in bits per second on the wire, preamble to inter-frame gap, that admission counts with (`--rate`); nil
    /// if not given.
    public var wireRate: UInt64?
    /// The highest rate, bits per second: those of as many legs as there can be add up to 64 bits.
    static let highestRate: UInt64 = 100_000_000_000_000
    /// True if admission is skipped (`--force`).
    public var isForced: Bool
    /// The destination of the packets after accounting.
    public var delivery: Delivery
    /// The engine that sends the packets on (`--engine`).
    public var engine: Engine

    public init(
        name: String, source: SourceSpecification, legs: [LegSpecification] = [], payload: Payload = .rtp,
        accounting: Accounting = .full, clockRate: UInt32? = nil, wireRate: UInt64? = nil, isForced: Bool = false,
        delivery: Delivery = .legs, engine: Engine = .auto
    ) {
        self.name = name
        self.source = source
        self.legs = legs
        self.payload = payload
        self.accounting = accounting
        self.clockRate = clockRate
        self.wireRate = wireRate
        self.isForced = isForced
        self.delivery = delivery
        self.engine = engine
    }

    /// True if packets are encrypted or decrypted on their way. The host has them as they come.
    public var usesSRTP: Bool { delivery == .legs && (source.srtp != nil || legs.contains { $0.srtp != nil }) }

    /// The largest number of legs of one route.
    public static let maximumLegs = 512
}

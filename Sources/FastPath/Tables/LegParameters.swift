// Parameters of one copy as it leaves, with everything resolved.

package import CrosspointShim
public import RTPWire

/// One leg as the fast path needs it: addresses of both layers, egress port and changes.
public struct LegParameters: Hashable, Sendable {
    /// The treatment of the TTL or hop limit.
    public enum TimeToLive: Hashable, Sendable {
        case decrement
        case keep
        case set(UInt8)
    }

    /// From which packet on the leg's copies are sent.
    public struct Gate: Hashable, Sendable {
        /// The low 32 bits of the extended sequence number of the first packet to send.
        public var sequence: UInt32
        /// When the gate opens whatever the sequence number: CLOCK_MONOTONIC in nanoseconds.
        public var deadline: UInt64

        public init(sequence: UInt32, deadline: UInt64) {
            self.sequence = sequence
            self.deadline = deadline
        }
    }

    /// The packets of a flow of RTP, with RTCP on the same UDP port, that a leg has copies of.
    public enum Packets: Hashable, Sendable {
        case all
        case rtp
        case rtcp
    }

    /// The egress port's number.
    public var port: UInt16
    /// The leg's counter (`FastPath.addLegCounter`).
    public var counter: UInt32
    public var sourceMAC: MACAddress
    public var destinationMAC: MACAddress
    /// VLAN identifiers of the copies, outer first; at most two.
    public var vlans: [UInt16]
    /// The source address; nil keeps it.
    public var source: IPAddress?
    public var destination: IPAddress
    /// The source UDP port; nil keeps it.
    public var sourceUDPPort: UInt16?
    public var udpPort: UInt16
    public var timeToLive: TimeToLive
    /// The DSCP; nil keeps it.
    public var dscp: UInt8?
    /// RTP header changes; nil and 0 keep the field.
    public var payloadType: UInt8?
    public var ssrc: UInt32?
    public var sequenceOffset: UInt16
    public var timestampOffset: UInt32
    public var gate: Gate?
    /// True if nothing is sent until `FastPath.openLeg`.
    public var isShut: Bool
    /// True if the flow's packets are of the other address family; then the source address is not kept.
    public var changesFamily: Bool
    public var packets: Packets
    /// True if copies leave encrypted only.
    public var isProtected: Bool
    /// The context that workers encrypt copies with; nil without a key, and then nothing is sent.
    public var context: WorkerContext?

    public init(
        port: UInt16, counter: UInt32, sourceMAC: MACAddress, destinationMAC: MACAddress, vlans: [UInt16] = [],
        source: IPAddress?, destination: IPAddress, sourceUDPPort: UInt16? = nil, udpPort: UInt16,
        timeToLive: TimeToLive = .decrement, dscp: UInt8? = nil, payloadType: UInt8? = nil, ssrc: UInt32? = nil,
        sequenceOffset: UInt16 = 0, timestampOffset: UInt32 = 0, gate: Gate? = nil, isShut: Bool = false,
        changesFamily: Bool = false, packets: Packets = .all, isProtected: Bool = false,
        context: WorkerContext? = nil
    ) {
        self.port = port
        self.counter = counter
        self.sourceMAC = sourceMAC
        self.destinationMAC = destinationMAC
        self.vlans = vlans
        self.source = source
        self.destination = destination
        self.sourceUDPPort = sourceUDPPort
        self.udpPort = udpPort
        self.timeToLive = timeToLive
        self.dscp = dscp
        self.payloadType = payloadType
        self.ssrc = ssrc
        self.sequenceOffset = sequenceOffset
        self.timestampOffset = timestampOffset
        self.gate = gate
        self.isShut = isShut
        self.changesFamily = changesFamily
        self.packets = packets
        self.isProtected = isProtected
        self.context = context
    }

    /// True if the RTP header is changed: then sender reports of the source do not fit the copies any more.
    public var rewritesRTP: Bool {
        payloadType != nil || ssrc != nil || sequenceOffset != 0 || timestampOffset != 0
    }

    /// Both records, for loops that run without the fast path.
    package var records: (leg: crosspoint_leg, detail: crosspoint_leg_detail) { (record, detail) }

    /// The parameters that only some packets need.
    var detail: crosspoint_leg_detail {
        var detail = crosspoint_leg_detail()
        detail.destination_ipv6 = destination.words
        if let source { detail.source_ipv6 = source.words }
        detail.gate_deadline = gate?.deadline ?? 0
        return detail
    }

    /// The record for the leg array.
    var record: crosspoint_leg {
        var record = crosspoint_leg()
        record.port = UInt8(port)
        record.counter = counter
        record.tag_count = UInt8(vlans.count)
        record.l3_offset = UInt8(14 + 4 * vlans.count)
        // A single tag is 802.1Q; the outer of two is 802.1ad, as provider bridges have it.
        if vlans.count == 1 { record.tags.0 = (0x8100_0000 | UInt32(vlans[0])).bigEndian }
        if vlans.count == 2 {
            record.tags.0 = (0x88a8_0000 | UInt32(vlans[0])).bigEndian
            record.tags.1 = (0x8100_0000 | UInt32(vlans[1])).bigEndian
        }
        func octets(_ mac: MACAddress) -> (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8) {
            let bytes = mac.bytes
            return (bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5])
        }
        record.source_mac = octets(sourceMAC)
        record.destination_mac = octets(destinationMAC)
        record.destination_ipv4 = destination.words.3
        record.destination_port = udpPort.bigEndian
        var addressSum = Self.sum(destination)
        if let source {
            record.source_ipv4 = source.words.3
            addressSum += Self.sum(source)
        }
        while addressSum > 0xffff { addressSum = addressSum & 0xffff + addressSum >> 16 }
        record.address_sum = UInt16(addressSum)
        record.source_port = (sourceUDPPort ?? 0).bigEndian
        record.dscp_keep = dscp == nil ? 0xff : 0x03
        record.dscp_set = (dscp ?? 0) << 2
        record.payload_type = payloadType ?? 0
        record.ssrc = (ssrc ?? 0).bigEndian
        record.sequence_offset = sequenceOffset
        record.timestamp_offset = timestampOffset
        record.gate_sequence = gate?.sequence ?? 0
        switch timeToLive {
        case .decrement: (record.ttl_keep, record.ttl_add) = (0xff, 0xff)
        case .keep: (record.ttl_keep, record.ttl_add) = (0xff, 0)
        case .set(let value): (record.ttl_keep, record.ttl_add) = (0, value)
        }
        record.flags = flags
        return record
    }

    private var flags: UInt32 {
        func bit(_ flag: crosspoint_leg_flag, _ isSet: Bool) -> UInt32 { isSet ? flag.rawValue : 0 }
        var flags = bit(CROSSPOINT_LEG_KEEP_SOURCE, source == nil)
        flags |= bit(CROSSPOINT_LEG_KEEP_SOURCE_PORT, sourceUDPPort == nil)
        flags |= bit(CROSSPOINT_LEG_RTP, rewritesRTP)
        flags |= bit(CROSSPOINT_LEG_SET_PAYLOAD_TYPE, payloadType != nil)
        flags |= bit(CROSSPOINT_LEG_SET_SSRC, ssrc != nil)
        flags |= bit(CROSSPOINT_LEG_GATED, gate != nil)
        flags |= bit(CROSSPOINT_LEG_SHUT, isShut)
        flags |= bit(CROSSPOINT_LEG_CHANGE_FAMILY, changesFamily)
        flags |= bit(CROSSPOINT_LEG_TAGGED, !vlans.isEmpty)
        flags |= bit(CROSSPOINT_LEG_PROTECT, isProtected)
        flags |= bit(CROSSPOINT_LEG_REMARK, timeToLive != .decrement || dscp != nil)
        return flags
    }

    /// The ones' complement sum of the address's 16-bit words as they lie in memory, which is how BPF adds them.
    private static func sum(_ address: IPAddress) -> UInt64 {
        func halves(_ word: UInt32) -> UInt64 { UInt64(word & 0xffff) + UInt64(word >> 16) }
        let words = address.words
        if address.family == .ipv4 { return halves(words.3) }
        return halves(words.0) + halves(words.1) + halves(words.2) + halves(words.3)
    }
}

// One reading of everything that the fast path counts, in the names that the statistics dump, JSON and Prometheus use.

/// Everything that the fast path has counted, read at one moment. All counters are 64-bit and only ever grow.
public struct StatisticsSnapshot: Hashable, Sendable, Codable {
    /// The node's name.
    public var node: String
    /// When the reading was taken: nanoseconds since the Unix epoch.
    public var unixNanoseconds: UInt64
    /// When the reading was taken, on the clock of the fast path (CLOCK_MONOTONIC), in nanoseconds.
    public var monotonicNanoseconds: UInt64
    /// The fast path's build identifier, as the loaded programs carry it.
    public var programVersion: String
    /// The ports that are attached.
    public var ports: [PortStatistics]
    /// The flows, by route name and UDP port.
    public var flows: [FlowStatistics]

    public init(
        node: String, unixNanoseconds: UInt64, monotonicNanoseconds: UInt64, programVersion: String,
        ports: [PortStatistics], flows: [FlowStatistics]
    ) {
        self.node = node
        self.unixNanoseconds = unixNanoseconds
        self.monotonicNanoseconds = monotonicNanoseconds
        self.programVersion = programVersion
        self.ports = ports
        self.flows = flows
    }
}

/// The counters of one port. `received = forwarded + dropped + passed`, always.
public struct PortStatistics: Hashable, Sendable, Codable {
    /// The interface's name.
    public var name: String
    /// The interface's index at the time of reading.
    public var interfaceIndex: UInt32
    /// Packets that reached the ingress program.
    public var receivedPackets: UInt64
    /// Packets of flows, accounted and handed to at least one leg.
    public var forwardedPackets: UInt64
    /// Their bytes, Ethernet header to payload, without FCS.
    public var forwardedBytes: UInt64
    /// Copies that forwarded packets asked for: their number times their legs.
    public var requestedCopies: UInt64
    /// Copies that left through this port, as far as the egress program saw them.
    public var transmittedCopies: UInt64
    /// Copies that the driver refused after the egress program had seen them (ring full and the like).
    public var refusedCopies: UInt64
    /// Packets that were dropped, by reason (names of the `drop_` family).
    public var dropped: [String: UInt64]
    /// Packets that were handed to the host's own stack, by reason (names of the `pass_` family).
    public var passed: [String: UInt64]
    /// Copies that were not sent, by reason (names of the `copy_` family).
    public var undelivered: [String: UInt64]
    /// The AF_XDP sockets that are open there, by queue.
    public var sockets: [SocketStatistics]

    public init(
        name: String, interfaceIndex: UInt32, receivedPackets: UInt64, forwardedPackets: UInt64,
        forwardedBytes: UInt64, requestedCopies: UInt64, transmittedCopies: UInt64, refusedCopies: UInt64,
        dropped: [String: UInt64], passed: [String: UInt64], undelivered: [String: UInt64],
        sockets: [SocketStatistics] = []
    ) {
        self.name = name
        self.interfaceIndex = interfaceIndex
        self.receivedPackets = receivedPackets
        self.forwardedPackets = forwardedPackets
        self.forwardedBytes = forwardedBytes
        self.requestedCopies = requestedCopies
        self.transmittedCopies = transmittedCopies
        self.refusedCopies = refusedCopies
        self.dropped = dropped
        self.passed = passed
        self.undelivered = undelivered
        self.sockets = sockets
    }
}

/// The counters of one flow.
public struct FlowStatistics: Hashable, Sendable, Codable {
    /// The name of the route that the flow belongs to.
    public var route: String
    /// The flow's source as it was asked for, `239.1.1.10:5004@eth0,source=10.1.0.7`.
    public var from: String
    /// `rtp`, `rtcp` or `raw`.
    public var payload: String
    /// The engine that carries the flow now: `kernel` or `afxdp`. While no worker lives: `none` for a flow that needs one, `partly` for
    /// one with plain legs, which the kernel engine has, beside encrypted ones, which send nothing.
    public var engine: String
    /// The reason for which it has that engine.
    public var engineReason: String
    /// Packets that matched the flow.
    public var packets: UInt64
    /// Their bytes, Ethernet header to payload, without FCS.
    public var bytes: UInt64
    /// The age of the last packet in nanoseconds, nil before the first.
    public var lastPacketAgeNanoseconds: UInt64?
    /// RTP accounting; nil for flows that are not RTP, or count packets and bytes only.
    public var rtp: RTPStatistics?
    /// RTCP packets among them.
    public var rtcpPackets: UInt64
    /// Packets that came to the flow's address from another source, and were dropped.
    public var wrongSourcePackets: UInt64
    /// Packets that are not what the flow carries (RFC 3550 appendix A.1), and were dropped.
    public var invalidPackets: UInt64
    /// The legs, by leg number.
    public var legs: [LegStatistics]
    /// What comes instead, where the flow is silent and packets for its destination come otherwise.
    public var sighting: FlowSighting?

    public init(
        route: String, from: String, payload: String, engine: String, engineReason: String, packets: UInt64,
        bytes: UInt64,
        lastPacketAgeNanoseconds: UInt64?, rtp: RTPStatistics?, rtcpPackets: UInt64,
        wrongSourcePackets: UInt64, invalidPackets: UInt64, legs: [LegStatistics]
    ) {
        self.route = route
        self.from = from
        self.payload = payload
        self.engine = engine
        self.engineReason = engineReason
        self.packets = packets
        self.bytes = bytes
        self.lastPacketAgeNanoseconds = lastPacketAgeNanoseconds
        self.rtp = rtp
        self.rtcpPackets = rtcpPackets
        self.wrongSourcePackets = wrongSourcePackets
        self.invalidPackets = invalidPackets
        self.legs = legs
    }
}

/// RTP reception statistics of one flow (RFC 3550 section 6.4.1 and appendix A), on 64-bit extended sequence numbers.
public struct RTPStatistics: Hashable, Sendable, Codable {
    /// The SSRC of the last packet. 0 is as good as any other.
    public var ssrc: UInt32
    /// The payload type of the last packet.
    public var payloadType: UInt8
    /// Packets expected since the flow began, over all sources and resets.
    public var expectedPackets: UInt64
    /// Packets received since then.
    public var receivedPackets: UInt64
    /// Expected less received: negative when there were more duplicates than losses.
    public var lostPackets: Int64
    /// The number of times that one or more packets were missing in a row.
    public var lossEvents: UInt64
    /// Packets that came after one with a higher sequence number.
    public var reorderedPackets: UInt64
    /// Packets whose sequence number had been seen.
    public var duplicatePackets: UInt64
    /// Packets older than the window in which duplicates are distinguished from reordering.
    public var latePackets: UInt64
    /// The number of changes of the SSRC.
    public var ssrcChanges: UInt64
    /// The number of times that packets of one SSRC came from another address than before.
    public var sourceChanges: UInt64
    /// The number of times that the sequence numbers started again (RFC 3550 appendix A.1).
    public var sequenceResets: UInt64
    /// The number of times that the source was silent for longer than its sequence numbers can bridge.
    public var outages: UInt64
    /// The largest number of packets missing in a row.
    public var largestGapPackets: UInt64
    /// The longest time between two packets, in nanoseconds.
    public var largestGapNanoseconds: UInt64
    /// The highest sequence number received, with its wraps counted in the bits above the 16th.
    public var extendedHighestSequence: UInt64
    /// The RTP clock rate in Hz that jitter is computed with; nil while it is unknown, and then jitter is not computed.
    public var clockRate: UInt32?
    /// Interarrival jitter (RFC 3550 section 6.4.1) in nanoseconds.
    public var jitterNanoseconds: UInt64?
    /// The same in timestamp units, as receiver reports carry it.
    public var jitterTimestampUnits: UInt64?
    /// The largest value that the jitter has had, in nanoseconds.
    public var largestJitterNanoseconds: UInt64?

    public init(
        ssrc: UInt32, payloadType: UInt8, expectedPackets: UInt64, receivedPackets: UInt64, lostPackets: Int64,
        lossEvents: UInt64, reorderedPackets: UInt64, duplicatePackets: UInt64, latePackets: UInt64,
        ssrcChanges: UInt64, sourceChanges: UInt64, sequenceResets: UInt64, outages: UInt64,
        largestGapPackets: UInt64, largestGapNanoseconds: UInt64, extendedHighestSequence: UInt64,
        clockRate: UInt32?, jitterNanoseconds: UInt64?, jitterTimestampUnits: UInt64?,
        largestJitterNanoseconds: UInt64?
    ) {
        self.ssrc = ssrc
        self.payloadType = payloadType
        self.expectedPackets = expectedPackets
        self.receivedPackets = receivedPackets
        self.lostPackets = lostPackets
        self.lossEvents = lossEvents
        self.reorderedPackets = reorderedPackets
        self.duplicatePackets = duplicatePackets
        self.latePackets = latePackets
        self.ssrcChanges = ssrcChanges
        self.sourceChanges = sourceChanges
        self.sequenceResets = sequenceResets
        self.outages = outages
        self.largestGapPackets = largestGapPackets
        self.largestGapNanoseconds = largestGapNanoseconds
        self.extendedHighestSequence = extendedHighestSequence
        self.clockRate = clockRate
        self.jitterNanoseconds = jitterNanoseconds
        self.jitterTimestampUnits = jitterTimestampUnits
        self.largestJitterNanoseconds = largestJitterNanoseconds
    }
}

/// The counters of one leg.
public struct LegStatistics: Hashable, Sendable, Codable {
    /// The leg's number within its route.
    public var leg: UInt32
    /// The leg as it was asked for, `10.2.0.5:5004@eth1`.
    public var to: String
    /// Copies sent.
    public var packets: UInt64
    /// Their bytes as sent, Ethernet header to payload, without FCS.
    public var bytes: UInt64
    /// Copies that the egress interface refused (down, MTU too small, driver).
    public var refusedPackets: UInt64

    public init(leg: UInt32, to: String, packets: UInt64, bytes: UInt64, refusedPackets: UInt64) {
        self.leg = leg
        self.to = to
        self.packets = packets
        self.bytes = bytes
        self.refusedPackets = refusedPackets
    }
}

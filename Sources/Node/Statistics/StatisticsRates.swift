// Values from two readings together: packets and bits per second, and the state of each flow.

public import FastPath

/// The rates between two readings. Flows and ports stand in the order of the second one.
public struct StatisticsRates: Hashable, Sendable, Codable {
    /// The rates of one flow.
    public struct Flow: Hashable, Sendable, Codable {
        /// The name of the route.
        public var route: String
        /// The flow's source.
        public var from: String
        /// The state of the flow.
        public var state: FlowState
        /// Packets per second.
        public var packetsPerSecond: Double
        /// Bits per second, Ethernet header to payload.
        public var bitsPerSecond: Double
        /// The rates of its legs.
        public var legs: [Leg]
    }

    /// The rates of one leg.
    public struct Leg: Hashable, Sendable, Codable {
        /// The leg's number.
        public var leg: UInt32
        /// Copies sent per second.
        public var packetsPerSecond: Double
        /// Bits sent per second, Ethernet header to payload.
        public var bitsPerSecond: Double
        /// Copies refused by the interface per second.
        public var refusedPacketsPerSecond: Double
        /// True where the leg's port had no link between the readings, so that copies were left out.
        public var isWithoutLink: Bool
    }

    /// The rates of one port.
    public struct Port: Hashable, Sendable, Codable {
        /// The port's name.
        public var name: String
        /// Packets that reached the ingress program, per second.
        public var receivedPacketsPerSecond: Double
        /// Bits of forwarded packets per second, as they came in.
        public var forwardedBitsPerSecond: Double
        /// Copies that left through this port, per second.
        public var transmittedCopiesPerSecond: Double
        /// Packets dropped, per second, for any reason.
        public var droppedPacketsPerSecond: Double
    }

    /// The seconds between the two readings.
    public var intervalSeconds: Double
    /// The rates of the flows.
    public var flows: [Flow]
    /// The rates of the ports.
    public var ports: [Port]

    /// The rates from `old` to `new`.
    public init(from old: StatisticsSnapshot, to new: StatisticsSnapshot) {
        let nanoseconds =
            new.monotonicNanoseconds > old.monotonicNanoseconds
            ? new.monotonicNanoseconds - old.monotonicNanoseconds : 0
        let seconds = Double(nanoseconds) / 1e9
        let meter = Meter(seconds: seconds)
        let oldFlows = Dictionary(old.flows.map { ([$0.route, $0.from], $0) }) { first, _ in first }
        let oldPorts = Dictionary(old.ports.map { ($0.name, $0) }) { first, _ in first }
        intervalSeconds = seconds
        let down = Set(
            new.ports.filter { port in
                let (now, before) = (
                    port.undelivered[Self.interfaceDown], oldPorts[port.name]?.undelivered[Self.interfaceDown]
                )
                return now ?? 0 > before ?? now ?? 0
            }.map(\.name))
        flows = new.flows.map { Self.rates(of: $0, since: oldFlows[[$0.route, $0.from]], meter, down: down) }
        ports = new.ports.map { Self.rates(of: $0, since: oldPorts[$0.name], meter) }
    }

    /// The reason that counts copies to a port without a link (`bpf/drop_reasons.h`).
    private static let interfaceDown = "copy_interface_down"

    private static func rates(
        of new: FlowStatistics, since old: FlowStatistics?, _ meter: Meter, down: Set<String>
    ) -> Flow {
        let oldLegs = Dictionary((old?.legs ?? []).map { ($0.leg, $0) }) { first, _ in first }
        return Flow(
            route: new.route, from: new.from,
            state: FlowState.judge(new, since: old, loss: LossWindow(), lastLoss: nil).0,
            packetsPerSecond: meter.rate(new.packets, since: old?.packets),
            bitsPerSecond: 8 * meter.rate(new.bytes, since: old?.bytes),
            legs: new.legs.map { leg in
                let old = oldLegs[leg.leg]
                return Leg(
                    leg: leg.leg, packetsPerSecond: meter.rate(leg.packets, since: old?.packets),
                    bitsPerSecond: 8 * meter.rate(leg.bytes, since: old?.bytes),
                    refusedPacketsPerSecond: meter.rate(leg.refusedPackets, since: old?.refusedPackets),
                    isWithoutLink: !down.isEmpty && down.contains(Self.port(of: leg)))
            })
    }

    /// The port in a leg's text, `10.2.0.5:5004@eth1.100,ttl=9`.
    private static func port(of leg: LegStatistics) -> String {
        let behind = leg.to.firstIndex(of: "@").map { leg.to[leg.to.index(after: $0)...] } ?? ""
        return String(behind.prefix { $0 != "," && $0 != "." })
    }

    private static func rates(of new: PortStatistics, since old: PortStatistics?, _ meter: Meter) -> Port {
        Port(
            name: new.name,
            receivedPacketsPerSecond: meter.rate(new.receivedPackets, since: old?.receivedPackets),
            forwardedBitsPerSecond: 8 * meter.rate(new.forwardedBytes, since: old?.forwardedBytes),
            transmittedCopiesPerSecond: meter.rate(new.transmittedCopies, since: old?.transmittedCopies),
            droppedPacketsPerSecond: meter.rate(
                new.dropped.values.reduce(0, &+), since: old?.dropped.values.reduce(0, &+)))
    }

    /// Divides differences of counters by the time between their readings.
    private struct Meter {
        let seconds: Double

        /// The rate of a counter; 0 if it was not there before, or began again.
        func rate(_ new: UInt64, since old: UInt64?) -> Double {
            guard let old, new >= old, seconds > 0 else { return 0 }
            return Double(new - old) / seconds
        }
    }
}

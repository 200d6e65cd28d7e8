// The statistics as Prometheus metrics: base units, counters that end in `_total`, one family per name of docs/statistics.md.

public import FastPath
import Sessions

/// Writes statistics as Prometheus text.
public enum PrometheusText {
    /// The content type of the text.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// All metrics of one reading, and of the sessions and the states where they are known.
    public static func text(
        of snapshot: StatisticsSnapshot, sessions: SessionStatistics? = nil, states: NodeStates? = nil
    ) -> String {
        var writer = PrometheusWriter()
        writer.family(
            "crosspoint_build_info", .gauge, "The versions that run; always 1.",
            [
                (
                    [
                        ("node", snapshot.node), ("version", Version.current),
                        ("program_version", snapshot.programVersion),
                    ], 1
                )
            ])
        writePorts(snapshot.ports, to: &writer)
        writeFlows(snapshot.flows, to: &writer)
        writeRTP(snapshot.flows, to: &writer)
        writeTimes(snapshot, to: &writer)
        writeLegs(snapshot.flows, to: &writer)
        if let states { writeStates(states, to: &writer) }
        if let sessions { writeSessions(sessions, to: &writer) }
        return writer.text
    }

    private static func writePorts(_ ports: [PortStatistics], to writer: inout PrometheusWriter) {
        let counters: [(name: String, help: String, path: KeyPath<PortStatistics, UInt64>)] = [
            ("received_packets", "Packets that reached the ingress program.", \.receivedPackets),
            ("forwarded_packets", "Packets of flows that were handed to at least one leg.", \.forwardedPackets),
            ("forwarded_bytes", "Bytes of forwarded packets, Ethernet header to payload.", \.forwardedBytes),
            ("requested_copies", "Copies that forwarded packets asked for.", \.requestedCopies),
            ("transmitted_copies", "Copies that left through this port.", \.transmittedCopies),
            ("refused_copies", "Copies that the driver refused.", \.refusedCopies),
        ]
        writeSockets(ports, to: &writer)
        for (name, help, path) in counters {
            writer.family(
                "crosspoint_port_\(name)_total", .counter, help, ports.map { ([("port", $0.name)], $0[keyPath: path]) })
        }
        let reasons: [(name: String, help: String, path: KeyPath<PortStatistics, [String: UInt64]>)] = [
            ("dropped_packets", "Packets that were dropped, by reason.", \.dropped),
            ("passed_packets", "Packets that were handed to the host's own stack, by reason.", \.passed),
            ("undelivered_copies", "Copies that were not sent, by reason.", \.undelivered),
        ]
        for (name, help, path) in reasons {
            writer.family(
                "crosspoint_port_\(name)_total", .counter, help,
                ports.flatMap { port in
                    port[keyPath: path].sorted { $0.key < $1.key }
                        .map { ([("port", port.name), ("reason", $0.key)], $0.value) }
                })
        }
    }

    private static func writeSockets(_ ports: [PortStatistics], to writer: inout PrometheusWriter) {
        let sockets = ports.flatMap { port in port.sockets.map { (port: port.name, socket: $0) } }
        writer.family(
            "crosspoint_socket_info", .gauge, "The AF_XDP sockets and how they are bound; always 1.",
            sockets.map { port, socket in
                (
                    [
                        ("port", port), ("queue", "\(socket.queue)"), ("worker", "\(socket.worker)"),
                        ("mode", socket.mode), ("multi_buffer", "\(socket.isMultiBuffer)"),
                    ], 1
                )
            })
        writer.family(
            "crosspoint_socket_events_total", .counter,
            "Packets, wakeups and errors of an AF_XDP socket since it was opened, by name.",
            sockets.flatMap { port, socket in
                socket.counters.sorted { $0.key < $1.key }
                    .map { ([("port", port), ("queue", "\(socket.queue)"), ("event", $0.key)], $0.value) }
            })
    }

    private static func labels(_ flow: FlowStatistics) -> PrometheusWriter.Labels {
        [("route", flow.route), ("from", flow.from)]
    }

    private static func writeFlows(_ flows: [FlowStatistics], to writer: inout PrometheusWriter) {
        writer.family(
            "crosspoint_flow_info", .gauge, "What carries the flow and what it is taken for; always 1.",
            flows.map { (labels($0) + [("payload", $0.payload), ("engine", $0.engine)], 1) })
        let counters: [(name: String, help: String, path: KeyPath<FlowStatistics, UInt64>)] = [
            ("packets", "Packets that matched the flow.", \.packets),
            ("bytes", "Bytes of packets that matched the flow, Ethernet header to payload.", \.bytes),
            ("rtcp_packets", "RTCP packets among the flow's packets.", \.rtcpPackets),
            ("wrong_source_packets", "Packets from another source than the flow's, dropped.", \.wrongSourcePackets),
            ("invalid_packets", "Packets that are not what the flow carries, dropped.", \.invalidPackets),
        ]
        for (name, help, path) in counters {
            writer.family(
                "crosspoint_flow_\(name)_total", .counter, help, flows.map { (labels($0), $0[keyPath: path]) })
        }
    }

    private static func writeRTP(_ flows: [FlowStatistics], to writer: inout PrometheusWriter) {
        let rtp = flows.compactMap { flow in flow.rtp.map { (labels: labels(flow), statistics: $0) } }
        let counters: [(name: String, help: String, path: KeyPath<RTPStatistics, UInt64>)] = [
            ("expected_packets", "RTP packets expected, by their sequence numbers.", \.expectedPackets),
            ("received_packets", "RTP packets received.", \.receivedPackets),
            ("loss_events", "How often one or more packets were missing in a row.", \.lossEvents),
            ("reordered_packets", "Packets that came after one with a higher sequence number.", \.reorderedPackets),
            ("duplicate_packets", "Packets whose sequence number had been seen.", \.duplicatePackets),
            ("late_packets", "Packets too old to tell duplicates from reordering.", \.latePackets),
            ("ssrc_changes", "How often the SSRC changed.", \.ssrcChanges),
            ("source_changes", "How often packets of one SSRC came from another address.", \.sourceChanges),
            ("sequence_resets", "How often the sequence numbers started anew.", \.sequenceResets),
            ("outages", "Silences longer than sequence numbers can bridge.", \.outages),
        ]
        for (name, help, path) in counters {
            writer.family(
                "crosspoint_flow_rtp_\(name)_total", .counter, help,
                rtp.map { ($0.labels, $0.statistics[keyPath: path]) })
        }
        writer.family(
            "crosspoint_flow_rtp_lost_packets", .gauge,
            "Packets expected less packets received; negative after more duplicates than losses.",
            rtp.map { ($0.labels, $0.statistics.lostPackets) })
        writer.family(
            "crosspoint_flow_rtp_largest_gap_packets", .gauge, "The largest number of packets missing in a row.",
            rtp.map { ($0.labels, $0.statistics.largestGapPackets) })
        writer.family(
            "crosspoint_flow_rtp_largest_gap_seconds", .gauge, "The longest time between two packets.",
            nanoseconds: rtp.map { ($0.labels, $0.statistics.largestGapNanoseconds) })
        writer.family(
            "crosspoint_flow_rtp_extended_highest_sequence", .gauge,
            "The highest sequence number received, its wraps counted above the 16th bit.",
            rtp.map { ($0.labels, $0.statistics.extendedHighestSequence) })
        writer.family(
            "crosspoint_flow_rtp_ssrc", .gauge, "The SSRC of the last packet.",
            rtp.map { ($0.labels, $0.statistics.ssrc) })
        writer.family(
            "crosspoint_flow_rtp_payload_type", .gauge, "The payload type of the last packet.",
            rtp.map { ($0.labels, $0.statistics.payloadType) })
        writer.family(
            "crosspoint_flow_rtp_clock_rate_hertz", .gauge, "The RTP clock rate that jitter is computed with.",
            rtp.compactMap { flow in flow.statistics.clockRate.map { (flow.labels, $0) } })
        writer.family(
            "crosspoint_flow_rtp_jitter_seconds", .gauge, "Interarrival jitter (RFC 3550 section 6.4.1).",
            nanoseconds: rtp.compactMap { flow in flow.statistics.jitterNanoseconds.map { (flow.labels, $0) } })
        writer.family(
            "crosspoint_flow_rtp_jitter_timestamp_units", .gauge, "The same in units of the RTP timestamp.",
            rtp.compactMap { flow in flow.statistics.jitterTimestampUnits.map { (flow.labels, $0) } })
        writer.family(
            "crosspoint_flow_rtp_largest_jitter_seconds", .gauge, "The largest value that the jitter has had.",
            nanoseconds: rtp.compactMap { flow in flow.statistics.largestJitterNanoseconds.map { (flow.labels, $0) } })
    }

    private static func writeTimes(_ snapshot: StatisticsSnapshot, to writer: inout PrometheusWriter) {
        writer.family(
            "crosspoint_flow_last_packet_timestamp_seconds", .gauge,
            "When the last packet came, in seconds since the Unix epoch.",
            nanoseconds: snapshot.flows.compactMap { flow in
                flow.lastPacketAgeNanoseconds.map { age in
                    (labels(flow), snapshot.unixNanoseconds > age ? snapshot.unixNanoseconds - age : 0)
                }
            })
    }

    private static func writeLegs(_ flows: [FlowStatistics], to writer: inout PrometheusWriter) {
        let counters: [(name: String, help: String, path: KeyPath<LegStatistics, UInt64>)] = [
            ("packets", "Copies sent.", \.packets),
            ("bytes", "Bytes of copies sent, Ethernet header to payload.", \.bytes),
            ("refused_packets", "Copies that the egress interface refused.", \.refusedPackets),
        ]
        for (name, help, path) in counters {
            writer.family(
                "crosspoint_leg_\(name)_total", .counter, help,
                flows.flatMap { flow in
                    flow.legs.map { leg in
                        (labels(flow) + [("leg", "\(leg.leg)"), ("to", leg.to)], leg[keyPath: path])
                    }
                })
        }
    }

    private static func writeSessions(_ statistics: SessionStatistics, to writer: inout PrometheusWriter) {
        let groups = Dictionary(grouping: statistics.sessions) { [$0.kind.rawValue, $0.state] }
        writer.family(
            "crosspoint_sessions", .gauge, "Sessions, by their kind and state.",
            groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }
                .map { ([("kind", $0.key[0]), ("state", $0.key[1])], $0.value.count) })
        let families = Dictionary(grouping: statistics.counters, by: \.name)
        for (name, counters) in families.sorted(by: { $0.key < $1.key }) {
            writer.family(
                "crosspoint_\(name)", name.hasSuffix("_total") ? .counter : .gauge, counters[0].help,
                numbers: counters.map { counter in
                    (counter.labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, counter.value)
                })
        }
    }
}

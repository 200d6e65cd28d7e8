// The states of a flow, and the judgement of two readings.

public import Events
import FastPath

/// The state of a flow, from readings of its counters.
public enum FlowState: String, Hashable, Sendable, Codable, CaseIterable {
    /// Nothing arrives.
    case noSignal = "no-signal"
    /// Packets arrive whose TTL or hop limit ends at this node.
    case ttlExpired = "ttl-expired"
    /// Packets arrive in fragments.
    case fragments
    /// Packets arrive in another VLAN.
    case wrongVLAN = "wrong-vlan"
    /// Packets arrive at another network interface of the node.
    case wrongPort = "wrong-port"
    /// Packets of the group arrive with another UDP port.
    case wrongUDPPort = "wrong-udp-port"
    /// Packets arrive, none of them RTP (RFC 3550 appendix A.1).
    case notRTP = "not-rtp"
    /// The flow needs an AF_XDP worker, and none is there.
    case noWorker = "no-worker"
    /// More than one source sends to the flow.
    case twoSenders = "two-senders"
    /// Packets were missing in the last 10 s.
    case loss
    /// Packets arrive as they should, and those of another sender are dropped.
    case intruder = "intruder-dropped"
    /// Packets arrive, none missing.
    case ok

    /// The state's name in tables.
    public var label: String {
        switch self {
        case .noSignal: "no signal"
        case .ttlExpired: "ttl expired"
        case .fragments: "fragments"
        case .wrongVLAN: "wrong vlan"
        case .wrongPort: "wrong port"
        case .wrongUDPPort: "wrong udp port"
        case .notRTP: "not rtp"
        case .noWorker: "no worker"
        case .twoSenders: "two senders"
        case .loss: "loss"
        case .intruder: "intruder dropped"
        case .ok: "ok"
        }
    }

    /// The weight of a state: the higher, the worse.
    var rank: Int {
        switch self {
        case .ok: 0
        case .intruder: 1
        case .loss: 2
        case .twoSenders: 3
        case .notRTP, .noWorker, .noSignal, .ttlExpired, .fragments, .wrongVLAN, .wrongPort, .wrongUDPPort: 4
        }
    }

    /// The severity of the event that the state begins with.
    public var severity: EventSeverity {
        switch self {
        case .ok: .notice
        case .intruder, .loss, .twoSenders: .warning
        case .noSignal, .ttlExpired, .fragments, .wrongVLAN, .wrongPort, .wrongUDPPort, .notRTP, .noWorker: .error
        }
    }

    /// The time for which a flow may be silent before it counts as having no signal, in nanoseconds: a second, but reports of RTCP may be
    /// half a minute apart (RFC 3550 section 6.2 asks for five seconds on average; large groups send less often).
    static func patience(payload: String) -> UInt64 { payload == "rtcp" ? 30_000_000_000 : 1_000_000_000 }

    /// Judges `new` by the changes since `old`, the reading before of the same flow, and by the loss of the last 10 s.
    ///
    /// - Parameter lastLoss: the seconds since the last loss.
    /// - Returns: the state, and its reason with the remedy; no reason for `ok`.
    static func judge(
        _ new: FlowStatistics, since old: FlowStatistics?, loss: LossWindow, lastLoss: UInt64?
    ) -> (FlowState, reason: String?) {
        let isMoving = old.map { new.packets > $0.packets } ?? false
        let isRecent = new.lastPacketAgeNanoseconds.map { $0 < patience(payload: new.payload) } == true
        if let old, new.invalidPackets > old.invalidPackets, !isMoving {
            return (
                .notRTP,
                "packets arrive that are not \(new.payload.uppercased()); MPEG-TS and the like need payload: raw"
            )
        }
        guard isMoving || isRecent else {
            if let sighting = new.sighting { return explain(sighting, of: new) }
            guard let age = new.lastPacketAgeNanoseconds else {
                return (.noSignal, "no packet has come yet; check the sender, the group and the VLAN")
            }
            return (.noSignal, "no packet for \(age / 1_000_000_000) s")
        }
        if new.engine == "none" || new.engine == "partly" {
            return (
                .noWorker,
                "\(new.engineReason); 'systemctl status crosspoint' and 'crosspoint route show' say what is missing"
            )
        }
        guard let old else { return (.ok, nil) }
        let others = new.wrongSourcePackets > old.wrongSourcePackets
        let changes = (new.rtp?.sourceChanges ?? 0, new.rtp?.ssrcChanges ?? 0)
        let before = (old.rtp?.sourceChanges ?? 0, old.rtp?.ssrcChanges ?? 0)
        // One change is a sender that restarted; two between readings are two that take turns.
        if changes.0 > before.0 + 1 || changes.1 > before.1 + 1 {
            return (.twoSenders, "more than one source sends to it; give the route source=, and stop the other")
        }
        if loss.lostPackets > 0 {
            let last = lastLoss.map { ", last \($0) s ago" } ?? ""
            return (.loss, "\(percent(loss.lostShare)) in 10 s\(last)")
        }
        // Of a reading without history.
        if let newRTP = new.rtp, let oldRTP = old.rtp, lastLoss == nil,
            newRTP.lostPackets > oldRTP.lostPackets || newRTP.lossEvents > oldRTP.lossEvents
        {
            return (.loss, "packets are missing")
        }
        if others {
            return (.intruder, "another sender's packets are dropped; 'crosspoint events --kind flow' names it")
        }
        return (.ok, nil)
    }

    /// The state of a silent flow whose packets come otherwise than it expects.
    private static func explain(_ sighting: FlowSighting, of flow: FlowStatistics) -> (FlowState, reason: String?) {
        let place =
            sighting.vlans.isEmpty ? "untagged" : "in VLAN \(sighting.vlans.map { "\($0)" }.joined(separator: "."))"
        let udpPort = sighting.udpPort.map { "UDP port \($0)" } ?? "no UDP port"
        return switch sighting.kind {
        case .ttlExpired:
            (
                .ttlExpired,
                "packets of \(sighting.source) arrive with a TTL of 1, which a router may not send on; give the sender a TTL of 16"
            )
        case .fragments:
            (
                .fragments,
                "packets of \(sighting.source) arrive in fragments, which have no UDP port to know them by; let it send smaller ones"
            )
        case .wrongVLAN:
            (
                .wrongVLAN,
                "packets of \(sighting.source) arrive \(place) at \(sighting.port), not as \(flow.from) says; correct the route or "
                    + "the switch"
            )
        case .wrongPort:
            (
                .wrongPort,
                "packets of \(sighting.source) arrive at \(sighting.port), \(place), not as \(flow.from) says; correct the route or "
                    + "the cabling"
            )
        case .wrongUDPPort:
            (
                .wrongUDPPort,
                "packets of \(sighting.source) arrive with \(udpPort), not as \(flow.from) says; correct the route or the sender"
            )
        }
    }

    /// A share with two significant digits: `0.02 %`.
    private static func percent(_ share: Double) -> String {
        let value = share * 100
        let digits = value >= 10 ? 0 : value >= 1 ? 1 : value >= 0.1 ? 2 : 3
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        return rounded == 0 && value > 0 ? "under 0.001 %" : "\(rounded) %"
    }
}

// A route as the controller keeps it.

import FastPath
import RTPWire

/// One leg of an installed route.
struct LegState {
    var number: UInt32
    var specification: LegSpecification
    /// The leg's counter in the fast path.
    var counter: UInt32
    var resolution: LegResolution
    /// The neighbour that its next hop is.
    var neighbour: NetworkView.NeighbourKey?
    /// The MTU of the route that it takes, in bytes, where that is not its interface's.
    var pathMTU: UInt32?
    /// The address family of the flow's packets.
    var flowFamily: IPAddress.Family
    /// True if nothing is sent until the leg is opened.
    var isShut = false
    /// From which packet on an opened leg sends; nil for all, and some time after it was opened.
    var gate: LegParameters.Gate?
    /// The protection that copies are encrypted with; nil for a leg that sends them as they are.
    var protection: Protection?

    var parameters: LegParameters? {
        guard case .ready(var parameters, _) = resolution else { return nil }
        parameters.isShut = isShut
        parameters.gate = gate
        parameters.changesFamily = parameters.destination.family != flowFamily
        parameters.isProtected = specification.srtp != nil
        parameters.context = protection?.context
        return parameters
    }

    /// The length of the leg's IP packets for frames of the flow, in bytes; nil while that is not known.
    ///
    /// Tags are not counted: a device's MTU has room for them. An IPv6 header is 20 bytes longer than one of IPv4.
    func length(ofFrames length: UInt64) -> UInt64? {
        guard length > 14 + 20 else { return nil }
        let length = length + UInt64(max(protection?.context.growth ?? 0, 0))
        if flowFamily == specification.address.family { return length - 14 }
        return flowFamily == .ipv4 ? length - 14 + 20 : length - 14 - 20
    }

    func record(at revision: UInt64) -> LegRecord {
        LegRecord(
            number: number, to: specification, counter: counter, isShut: isShut ? true : nil, revision: revision)
    }
}

/// One installed route.
struct RouteState {
    /// The intent for the route.
    var intent: RouteIntent
    /// The key that the fast path matches; nil while the ingress interface does not exist.
    var key: FlowKey?
    var flow: FlowHandle?
    /// The protection that packets are decrypted with; nil where they come as they are.
    var receiving: Protection?
    var parameters: FlowParameters
    var legs: [LegState] = []
    var nextLegNumber: UInt32 = 1
    /// The membership or reservation; nil for `join=off`.
    var socket: SocketKey?
    /// The problem of the membership; nil without a problem.
    var membershipProblem: String?
    var observation = FlowObservation()
    /// The reason for which the AF_XDP engine does not carry the route although it should; nil when it does, or should not.
    var engineProblem: String?
    /// When the flow's first packet came (CLOCK_MONOTONIC, nanoseconds), if this process has seen it.
    var firstArrival: UInt64?

    var specification: RouteSpecification {
        get { intent.specification }
        set { intent.specification = newValue }
    }

    var owner: RouteOwner { intent.owner }

    /// The label of the route's flow.
    var label: FlowLabel {
        var label = specification.label
        label.identifier = intent.id
        return label
    }

    func leg(_ number: UInt32) -> Int? { legs.firstIndex { $0.number == number } }

    /// The average length of the frames that legs get, Ethernet header to payload: as received, without the parts that
    /// are decrypted away.
    var frameLength: UInt64 {
        let came = observation.frameLength
        return came == 0 ? 0 : UInt64(max(Int64(came) + Int64(receiving?.context.growth ?? 0), 0))
    }

    /// The legs that are in the fast path, or would be if the flow were.
    var readyLegs: [LegParameters] { legs.compactMap(\.parameters) }
}

extension RouteSpecification {
    /// The accounting's parameters, as far as they follow from the specification.
    var flowParameters: FlowParameters {
        var parameters = FlowParameters(clockRate: clockRate, goesToHost: delivery == .host)
        switch payload {
        case .rtp: parameters.payload = .rtp
        case .rtcp: parameters.payload = .rtcp
        case .raw: parameters.payload = .raw
        }
        switch accounting {
        case .full: break
        case .sampled: parameters.clockMask = 7
        case .counters: parameters.accounts = false
        }
        // The availability of AF_XDP is seen later; ingress sees it for each packet.
        switch engine {
        case .auto: break
        case .kernel: parameters.engineReason = .kernelAskedFor
        case .afxdp: (parameters.engine, parameters.engineReason) = (.afxdp, .afxdpAskedFor)
        }
        if let engine = engineOfSRTP { (parameters.engine, parameters.engineReason) = (engine, .encryption) }
        parameters.isEncrypted = source.srtp != nil
        return parameters
    }

    /// The engine that SRTP asks for; nil where nothing is encrypted or decrypted.
    ///
    /// Plain legs of a plain source continue in the kernel engine while no worker lives, which holds the copies of encrypted legs back
    /// (`CROSSPOINT_LEG_PROTECT`). Of an encrypted source nothing can leave without a worker.
    var engineOfSRTP: FlowParameters.Engine? {
        guard usesSRTP else { return nil }
        return source.srtp == nil && legs.contains { $0.srtp == nil } ? .afxdp : .afxdpOnly
    }

    var label: FlowLabel {
        let number: UInt8 =
            switch accounting {
            case .full: 0
            case .sampled: 1
            case .counters: 2
            }
        return FlowLabel(route: name, from: source.description, accounting: number)
    }
}

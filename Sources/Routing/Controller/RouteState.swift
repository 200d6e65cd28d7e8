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

    var parameters: LegParameters? {
        if case .ready(let parameters, _) = resolution { parameters } else { nil }
    }
}

/// One installed route.
struct RouteState {
    var specification: RouteSpecification
    var owner: RouteOwner
    /// What the fast path matches; nil while the ingress interface does not exist.
    var key: FlowKey?
    var flow: FlowHandle?
    var parameters: FlowParameters
    var legs: [LegState] = []
    var nextLegNumber: UInt32 = 1
    /// The membership or reservation; nil for `join=off`.
    var socket: SocketKey?
    /// What is wrong with the membership; nil when nothing is.
    var membershipProblem: String?
    var observation = FlowObservation()

    func leg(_ number: UInt32) -> Int? { legs.firstIndex { $0.number == number } }

    /// The legs that are in the fast path, or would be if the flow were.
    var readyLegs: [LegParameters] { legs.compactMap(\.parameters) }
}

extension RouteSpecification {
    /// The accounting's parameters, as far as they follow from the specification.
    var flowParameters: FlowParameters {
        var parameters = FlowParameters(clockRate: clockRate)
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
        return parameters
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

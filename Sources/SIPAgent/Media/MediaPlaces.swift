// The UDP ports of one side of a call.

import AgentSupport
import RTPWire
import Routing

/// Reserves pairs of UDP ports, and gives each of them back once.
@AgentActor
final class MediaPlaces {
    private let context: MediaContext
    private var reserved: Set<LocalPlace> = []
    /// The number of branches that have their media here.
    var users = 1

    init(context: MediaContext) { self.context = context }

    private static let attempts = 64

    /// An even UDP port and the next one at the attachment's address.
    func reserve(at attachment: NetworkAttachment) async throws(RoutingError) -> LocalPlace {
        var refusal = RoutingError(
            .capacity,
            "sip udp-ports \(context.udpPortRange): no free pair at \(attachment.address); widen the range")
        for _ in 0..<Self.attempts {
            guard let udpPort = context.udpPorts.take(at: attachment.address) else { throw refusal }
            let place = LocalPlace(attachment: attachment, udpPort: udpPort, rtcpUDPPort: udpPort + 1)
            do throws(RoutingError) {
                try await context.routing.reserve(place.udpPlaces)
                reserved.insert(place)
                return place
            } catch {
                // Another program may have one of the two; it will keep it, and so the pair stays taken.
                refusal = error
                guard error.code == .conflict else {
                    context.udpPorts.giveBack(udpPort, at: attachment.address)
                    throw error
                }
            }
        }
        throw refusal
    }

    /// Goes on with a pair of an earlier daemon, which its routes hold.
    func adopt(_ place: LocalPlace) async throws(RoutingError) {
        guard place.group == nil, !reserved.contains(place) else { return }
        context.udpPorts.claim(place.udpPort, at: place.attachment.address)
        try await context.routing.reserve(place.udpPlaces)
        reserved.insert(place)
    }

    /// Gives back every pair that is not among `kept`.
    func keep(only kept: Set<LocalPlace>) async {
        let gone = reserved.subtracting(kept)
        guard !gone.isEmpty else { return }
        reserved.subtract(gone)
        await context.routing.release(gone.flatMap(\.udpPlaces))
        for place in gone { context.udpPorts.giveBack(place.udpPort, at: place.attachment.address) }
    }
}

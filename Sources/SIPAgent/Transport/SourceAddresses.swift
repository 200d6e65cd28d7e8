// Selection of the node's address that faces a peer.

import AgentSupport
import CrosspointShim
import Glibc
import RTPWire

/// The kernel's own choice of source address, remembered for a few seconds: every message to a peer asks for it.
@AgentActor
final class SourceAddresses {
    private struct Choice {
        var address: IPAddress
        var end: UInt64
    }

    private var choices: [IPAddress: Choice] = [:]
    private static let lifetime: UInt64 = 5_000_000_000
    private static let capacity = 4096

    init() {}

    /// The address that packets to `peer` leave from; nil without a route.
    func towards(_ peer: IPAddress, now: UInt64 = MonotonicClock.now) -> IPAddress? {
        if let choice = choices[peer], choice.end > now { return choice.address }
        var place = crosspoint_place(peer, 0)
        var local = crosspoint_place()
        guard crosspoint_local_address(&place, &local) == 0, let address = local.ipAddress else { return nil }
        if choices.count >= Self.capacity { choices.removeAll(keepingCapacity: true) }
        choices[peer] = Choice(address: address, end: now + Self.lifetime)
        return address
    }
}

extension SourceAddresses {
    /// True if the host has IPv6 at all.
    nonisolated static var hasIPv6: Bool {
        let descriptor = socket(AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }

    /// True if an address is one of this host's: packets to it leave from itself.
    func isLocal(_ address: IPAddress) -> Bool { address.isLoopback || towards(address) == address }
}

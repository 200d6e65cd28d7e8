// Addresses that a route lets in, and addresses that it sends to.

import RTPWire

extension RTSPRoute {
    /// True if players and publishers may come from `address`. A text that is not a network allows nobody.
    func allows(_ address: IPAddress) -> Bool {
        allowedNetworks.isEmpty || allowedNetworks.contains { IPNetwork($0)?.contains(address) == true }
    }

    /// True if a player may have media sent to `address`, which is not its own: never to a group or to a node itself.
    func allowsDestination(_ address: IPAddress) -> Bool {
        !address.isMulticast && !address.isLoopback && !address.isUnspecified && !address.isLimitedBroadcast
            && allowedDestinations.contains { IPNetwork($0)?.contains(address) == true }
    }
}

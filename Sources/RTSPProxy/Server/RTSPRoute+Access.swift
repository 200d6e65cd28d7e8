// Which addresses a route lets in, and which it sends to.

import RTPWire

extension RTSPRoute {
    /// Whether players and publishers may come from `address`. What is no network allows nobody.
    func allows(_ address: IPAddress) -> Bool {
        allowedNetworks.isEmpty || allowedNetworks.contains { IPNetwork($0)?.contains(address) == true }
    }

    /// Whether a player may have media sent to `address`, which is not its own: never to a group or to a node itself.
    func allowsDestination(_ address: IPAddress) -> Bool {
        !address.isMulticast && !address.isLoopback && !address.isUnspecified && !address.isLimitedBroadcast
            && allowedDestinations.contains { IPNetwork($0)?.contains(address) == true }
    }
}

// Networks, as routes name them.

import RTPWire

/// A network in the form `10.1.0.0/16`, or one address.
struct NetworkPrefix: Hashable, Sendable {
    let address: IPAddress
    let length: Int

    /// Nil for what is no network.
    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        let longest = address.family == .ipv4 ? 32 : 128
        guard let length = parts.count == 2 ? Int(parts[1]) : longest, (0...longest).contains(length) else {
            return nil
        }
        self.address = address
        self.length = length
    }

    func contains(_ other: IPAddress) -> Bool { address.isInSameNetwork(as: other, prefixLength: length) }
}

extension RTSPRoute {
    /// Whether players and publishers may come from `address`. What is no network allows nobody.
    func allows(_ address: IPAddress) -> Bool {
        allowedNetworks.isEmpty || allowedNetworks.contains { NetworkPrefix($0)?.contains(address) == true }
    }

    /// Whether a player may have media sent to `address`, which is not its own: never to a group or to a node itself.
    func allowsDestination(_ address: IPAddress) -> Bool {
        !address.isMulticast && !address.isLoopback && !address.isUnspecified && !address.isLimitedBroadcast
            && allowedDestinations.contains { NetworkPrefix($0)?.contains(address) == true }
    }
}

// Networks as settings name them.

public import RTPWire

extension IPNetwork {
    /// The network that `text` names. Throws what is wrong with it and how it is written; `key` is the setting's name.
    public init(parsing text: String, setting key: String) throws(SpecificationError) {
        if let network = IPNetwork(text) {
            self = network
            return
        }
        let parts = text.split(separator: "/", maxSplits: 1)
        if parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]),
            let network = IPNetwork(containing: address, prefixLength: length)
        {
            throw SpecificationError(
                .setting(key), text, "has bits set behind its prefix",
                remedy: "write \(network), or \(address) for the one address")
        }
        throw SpecificationError(
            .setting(key), text, "is no network", remedy: "write 10.1.0.0/16, 2001:db8::/32 or an address")
    }
}

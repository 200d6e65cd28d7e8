// Checks that every source and every leg must pass, whatever the host: addresses and UDP ports that belong to somebody else.

import RTPWire

/// The checks that sources and legs share.
enum EndpointValidation {
    /// Throws for UDP ports and groups that routing must leave alone, and for addresses that nothing can be sent to.
    static func check(address: IPAddress, udpPort: UInt16, of text: String) throws(SpecificationError) {
        guard udpPort != 0 else {
            throw SpecificationError(.udpPort, "0", of: text, "is out of range", remedy: "use 1 to 65535")
        }
        guard udpPort != 319, udpPort != 320 else {
            throw SpecificationError(
                .udpPort, String(udpPort), of: text, "belongs to PTP (IEEE 1588)",
                remedy: "leave PTP to the host or to a boundary clock, and use another UDP port")
        }
        func refuse(_ problem: String, _ remedy: String) -> SpecificationError {
            SpecificationError(.address, address.description, of: text, problem, remedy: remedy)
        }
        if address.isUnspecified { throw refuse("is the unspecified address", "name the address itself") }
        if address.isLoopback { throw refuse("is a loopback address", "use an address of the network") }
        if address.isLimitedBroadcast { throw refuse("is the broadcast address", "use a unicast address or a group") }
        if address.isLinkLocalMulticast {
            throw refuse(
                "is a group that never leaves its link (224.0.0.0/24, ff02::/16), kept for control protocols",
                "use a group such as 239.1.1.10")
        }
        if isPTPGroup(address) {
            throw refuse(
                "is a PTP group (IEEE 1588)", "leave PTP to the host or to a boundary clock, and use another group")
        }
    }

    /// Throws unless `source` can be the source address of packets to `address`.
    static func check(source: IPAddress, for address: IPAddress, of text: String) throws(SpecificationError) {
        func refuse(_ problem: String, _ remedy: String) -> SpecificationError {
            SpecificationError(.option("source"), source.description, of: text, problem, remedy: remedy)
        }
        guard source.family == address.family else {
            throw refuse(
                "is \(source.family.rawValue), but \(address) is \(address.family.rawValue)", "use one address family")
        }
        guard !source.isMulticast else { throw refuse("is a group", "a source is a unicast address") }
        guard !source.isUnspecified, !source.isLimitedBroadcast, !source.isLoopback else {
            throw refuse("cannot send to a network", "use the sender's unicast address")
        }
    }

    /// 224.0.1.129 to 224.0.1.132, and ff0x::181 in every scope (IEEE 1588-2019 annexes C and D).
    private static func isPTPGroup(_ address: IPAddress) -> Bool {
        if address.family == .ipv4 {
            return (IPAddress(224, 0, 1, 129)...IPAddress(224, 0, 1, 132)).contains(address)
        }
        let bytes = address.bytes
        return bytes[0] == 0xff && bytes[1] & 0xf0 == 0 && bytes[2..<14].allSatisfy { $0 == 0 }
            && bytes[14] == 0x01 && bytes[15] == 0x81
    }
}

extension SourceSpecification {
    /// Throws if no node could receive this source. Whether this node can, the fast path's owner says.
    public func validate() throws(SpecificationError) {
        let text = description
        try EndpointValidation.check(address: address, udpPort: udpPort, of: text)
        if let source { try EndpointValidation.check(source: source, for: address, of: text) }
        if sourceUDPPort == 0 {
            throw SpecificationError(.option("source-port"), "0", of: text, "is out of range", remedy: "use 1 to 65535")
        }
    }
}

extension LegSpecification {
    /// Throws if no node could send this leg. Whether this node can, the fast path's owner says.
    public func validate() throws(SpecificationError) {
        let text = description
        try EndpointValidation.check(address: address, udpPort: udpPort, of: text)
        if case .set(let source) = source { try EndpointValidation.check(source: source, for: address, of: text) }
        if sourceUDPPort == 0 {
            throw SpecificationError(
                .option("source-port"), "0", of: text, "is out of range", remedy: "use keep or 1 to 65535")
        }
        if case .set(0) = timeToLive {
            throw SpecificationError(
                .option("ttl"), "0", of: text, "is out of range", remedy: "use decrement, keep or 1 to 255")
        }
        if let dscp, dscp > 63 {
            throw SpecificationError(
                .option("dscp"), "\(dscp)", of: text, "is out of range", remedy: "use keep or 0 to 63")
        }
        if let payloadType = rtp.payloadType, payloadType > 127 {
            throw SpecificationError(
                .option("pt"), "\(payloadType)", of: text, "is out of range", remedy: "use 0 to 127")
        }
        if mac == .zero {
            throw SpecificationError(
                .option("mac"), "\(MACAddress.zero)", of: text, "reaches nobody",
                remedy: "leave it out to have the next hop resolved")
        }
    }
}

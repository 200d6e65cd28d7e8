// What no route may be, whatever the host.

import RTPWire

extension RouteSpecification {
    /// Throws if no node could carry this route. Whether this node can, the fast path's owner says.
    public func validate() throws(SpecificationError) {
        try Self.validate(name: name)
        try source.validate()
        guard legs.count <= Self.maximumLegs else {
            throw SpecificationError(
                .legs, "\(legs.count)", of: name, "are more than \(Self.maximumLegs)",
                remedy: "divide them over several routes behind a group")
        }
        var seen: Set<LegSpecification> = []
        for leg in legs {
            try leg.validate()
            try validate(leg: leg)
            guard seen.insert(leg).inserted else {
                throw SpecificationError(
                    .legs, leg.description, of: name, "stand there twice", remedy: "name each destination once")
            }
        }
        try validateSettings()
    }

    /// Throws unless `leg` can be a leg of this route: its address family, and its changes to the RTP header.
    public func validate(leg: LegSpecification) throws(SpecificationError) {
        guard leg.address.family == source.address.family else {
            throw SpecificationError(
                .address, leg.address.description, of: leg.description,
                "is \(leg.address.family.rawValue), but the source \(source.address) is \(source.address.family.rawValue); "
                    + "changing the address family is not supported", remedy: "use the same family for both")
        }
        guard payload == .rtp || leg.rtp.isEmpty else {
            throw SpecificationError(
                .setting("payload"), payload.rawValue, of: leg.description, "has no RTP header to change",
                remedy: "leave out pt, ssrc, sequence-offset and timestamp-offset, or use payload rtp")
        }
    }

    /// Throws unless `name` can be a route's name.
    public static func validate(name: String) throws(SpecificationError) {
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            default: false
            }
        }
        let isValid =
            (1...63).contains(name.utf8.count) && name.utf8.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
            && name.utf8.first.map(isAlphanumeric) == true
        guard isValid else {
            throw SpecificationError(
                .name, name, "cannot be",
                remedy: "use 1 to 63 letters, digits, '-', '_' and '.', beginning with a letter or digit")
        }
    }

    private func validateSettings() throws(SpecificationError) {
        if clockRate == 0 {
            throw SpecificationError(
                .setting("clock"), "0", of: name, "is no clock rate", remedy: "use 90000, 48000 or leave it out")
        }
        if clockRate != nil, payload != .rtp {
            throw SpecificationError(
                .setting("clock"), "\(clockRate ?? 0)", of: name, "goes with payload rtp only", remedy: "leave it out")
        }
        if wireRate == 0 {
            throw SpecificationError(
                .setting("rate"), "0", of: name, "is no rate", remedy: "use a rate such as 2.66Gb/s, or leave it out")
        }
    }
}

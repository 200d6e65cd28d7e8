// Checks that every route must pass, whatever the host.

import RTPWire

extension RouteSpecification {
    /// Throws if no node could carry this route. Whether this node can, the fast path's owner says.
    public func validate() throws(SpecificationError) {
        try Self.validate(name: name)
        try source.validate()
        try validate(legCount: legs.count)
        var seen: Set<LegSpecification> = []
        for leg in legs {
            try leg.validate()
            try validate(leg: leg)
            guard seen.insert(leg).inserted else { throw standsTwice(leg) }
        }
        try validateSettings()
        if let place = firstOfSRTP { try validateSRTP(of: place) }
    }

    /// The first endpoint that names a key, as text.
    private var firstOfSRTP: String? {
        source.srtp != nil ? source.description : legs.first { $0.srtp != nil }?.description
    }

    /// Throws unless packets of this route can be encrypted or decrypted for an endpoint.
    private func validateSRTP(of endpoint: String) throws(SpecificationError) {
        guard engine != .kernel else {
            throw SpecificationError(
                .setting("engine"), "kernel", of: endpoint, "neither encrypts nor decrypts",
                remedy: "use engine auto or afxdp"
            )
        }
        guard payload != .raw else {
            throw SpecificationError(
                .setting("payload"), "raw", of: endpoint, "is nothing that SRTP protects",
                remedy: "use payload rtp or rtcp, or leave out srtp")
        }
    }

    /// Throws unless `leg` can be added to the valid route, or take the place of its leg at `index`.
    public func validate(adding leg: LegSpecification, at index: Int? = nil) throws(SpecificationError) {
        if index == nil { try validate(legCount: legs.count + 1) }
        try leg.validate()
        try validate(leg: leg)
        if let other = legs.firstIndex(of: leg), other != index { throw standsTwice(leg) }
        if leg.srtp != nil { try validateSRTP(of: leg.description) }
        if delivery == .host { throw hasNoLegs }
    }

    private func validate(legCount: Int) throws(SpecificationError) {
        guard legCount <= Self.maximumLegs else {
            throw SpecificationError(
                .legs, "\(legCount)", of: name, "are more than \(Self.maximumLegs)",
                remedy: "divide them over several routes behind a group")
        }
    }

    private func standsTwice(_ leg: LegSpecification) -> SpecificationError {
        SpecificationError(.legs, leg.description, of: name, "stand there twice", remedy: "name each destination once")
    }

    /// Throws unless `leg` can be a leg of this route: its source address, and its changes to the RTP header.
    public func validate(leg: LegSpecification) throws(SpecificationError) {
        guard leg.address.family == source.address.family || leg.source != .keep else {
            throw SpecificationError(
                .option("source"), "keep", of: leg.description,
                "cannot be: the leg is \(leg.address.family.rawValue), but the source \(source.address) is "
                    + "\(source.address.family.rawValue)",
                remedy: "leave it out, or give an address to send from")
        }
        guard payload == .rtp || leg.rtp.isEmpty else {
            throw SpecificationError(
                .setting("payload"), payload.rawValue, of: leg.description, "has no RTP header to change",
                remedy: "leave out pt, ssrc, sequence-offset and timestamp-offset, or use payload rtp")
        }
        guard payload == .rtp || leg.packets == .all else {
            throw SpecificationError(
                .setting("payload"), payload.rawValue, of: leg.description, "does not tell RTP from RTCP",
                remedy: "leave out packets, or use payload rtp")
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

    private var hasNoLegs: SpecificationError {
        SpecificationError(
            .setting("delivery"), "host", of: name, "leaves nothing for legs",
            remedy: "remove the legs, or use delivery legs and a leg to @host")
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
        if delivery == .host, !legs.isEmpty { throw hasNoLegs }
        if delivery == .host, engine == .afxdp {
            throw SpecificationError(
                .setting("engine"), "afxdp", of: name, "sends nothing to the host",
                remedy: "leave it out, or use delivery legs")
        }
        if let wireRate, wireRate > Self.highestRate {
            throw SpecificationError(
                .setting("rate"), "\(BitRate(bitsPerSecond: wireRate))", of: name, "is more than any link carries",
                remedy: "use a rate such as 2.66Gb/s, or leave it out")
        }
        if wireRate == 0 {
            throw SpecificationError(
                .setting("rate"), "0", of: name, "is no rate", remedy: "use a rate such as 2.66Gb/s, or leave it out")
        }
    }
}

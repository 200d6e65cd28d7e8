// The text of a leg: `239.9.9.1:5004@eth1,ttl=16,dscp=34`.

import RTPWire

extension LegSpecification: CustomStringConvertible {
    /// The keys that may follow the interface.
    static let keys = [
        "ttl", "dscp", "source", "source-port", "mac", "pt", "ssrc", "sequence-offset", "timestamp-offset",
        "packets", "srtp", "force",
    ]

    /// Reads `ADDRESS:UDPPORT@INTERFACE[.VLAN[.VLAN]][,key=value…]` and checks it (`validate()`).
    public init(_ text: String) throws(SpecificationError) {
        let endpoint = try EndpointText(text, keys: Self.keys, example: "10.2.0.5:5004@eth1")
        self.init(address: endpoint.address, udpPort: endpoint.udpPort, port: endpoint.port)
        let options = endpoint.options
        if let value = options["ttl"] { timeToLive = try Self.timeToLive(value, of: text) }
        if let value = options["dscp"] { dscp = try Self.dscp(value, of: text) }
        if let value = options["source"] { source = try Self.source(value, of: text) }
        if let value = options["source-port"], value != "keep" {
            sourceUDPPort = try EndpointText.udpPort(value, part: .option("source-port"), of: text)
        }
        if let value = options["mac"] {
            guard let mac = MACAddress(value) else {
                throw SpecificationError(
                    .option("mac"), value, of: text, "is not a MAC address", remedy: "write it as 02:00:00:00:00:01")
            }
            self.mac = mac
        }
        rtp = try Self.rewrite(options, of: text)
        if let value = options["packets"] {
            guard let packets = Packets(rawValue: value) else {
                throw SpecificationError(
                    .option("packets"), value, of: text, "is none of all, rtp and rtcp", remedy: "use one of them")
            }
            self.packets = packets
        }
        if let value = options["srtp"] { srtp = try KeyReference(value, of: text) }
        if let value = options["force"] {
            guard ["on", "off"].contains(value) else {
                throw SpecificationError(
                    .option("force"), value, of: text, "is neither on nor off", remedy: "use one of them")
            }
            isForced = value == "on"
        }
        try validate()
    }

    private static func timeToLive(_ value: String, of text: String) throws(SpecificationError) -> TimeToLive {
        switch value {
        case "decrement": return .decrement
        case "keep": return .keep
        default:
            guard let number = UInt8(value), number > 0 else {
                throw SpecificationError(
                    .option("ttl"), value, of: text, "is no TTL", remedy: "use decrement, keep or 1 to 255")
            }
            return .set(number)
        }
    }

    private static func dscp(_ value: String, of text: String) throws(SpecificationError) -> UInt8? {
        if value == "keep" { return nil }
        guard let number = UInt8(value) ?? DSCPName.value(of: value), number < 64 else {
            throw SpecificationError(
                .option("dscp"), value, of: text, "is no DSCP",
                remedy: "use keep, 0 to 63, or a name such as AF41, EF, CS0")
        }
        return number
    }

    private static func source(_ value: String, of text: String) throws(SpecificationError) -> SourceAddress {
        switch value {
        case "interface": return .interface
        case "keep": return .keep
        default:
            return .set(try EndpointText.address(value, option: "source", of: text, orOneOf: ["interface", "keep"]))
        }
    }

    private static func rewrite(
        _ options: [String: String], of text: String
    ) throws(SpecificationError) -> RTPRewrite {
        var rtp = RTPRewrite()
        if let value = options["pt"] {
            rtp.payloadType = try EndpointText.number(value, in: 0...127, part: .option("pt"), of: text) as UInt8
        }
        if let value = options["ssrc"] {
            let ssrc = value.lowercased().hasPrefix("0x") ? UInt32(value.dropFirst(2), radix: 16) : UInt32(value)
            guard let ssrc else {
                throw SpecificationError(
                    .option("ssrc"), value, of: text, "is no SSRC", remedy: "use 0 to 4294967295 or 0x0 to 0xffffffff")
            }
            rtp.ssrc = ssrc
        }
        if let value = options["sequence-offset"] {
            rtp.sequenceOffset = UInt16(truncatingIfNeeded: try offset(value, "sequence-offset", bits: 16, of: text))
        }
        if let value = options["timestamp-offset"] {
            rtp.timestampOffset = UInt32(truncatingIfNeeded: try offset(value, "timestamp-offset", bits: 32, of: text))
        }
        return rtp
    }

    /// Reads an offset modulo 2^`bits`, which may be written negative.
    private static func offset(
        _ value: String, _ key: String, bits: Int, of text: String
    ) throws(SpecificationError) -> Int64 {
        let range = -(Int64(1) << Int64(bits - 1))...(Int64(1) << Int64(bits)) - 1
        guard let number = Int64(value), range.contains(number) else {
            throw SpecificationError(
                .option(key), value, of: text, "is no offset", remedy: "use \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The shortest text that reads as this leg.
    public var description: String {
        var text = "\(address.bracketed):\(udpPort)@\(port)"
        switch timeToLive {
        case .decrement: break
        case .keep: text += ",ttl=keep"
        case .set(let value): text += ",ttl=\(value)"
        }
        if let dscp { text += ",dscp=\(dscp)" }
        switch source {
        case .interface: break
        case .keep: text += ",source=keep"
        case .set(let address): text += ",source=\(address)"
        }
        if let sourceUDPPort { text += ",source-port=\(sourceUDPPort)" }
        if let mac { text += ",mac=\(mac)" }
        if let payloadType = rtp.payloadType { text += ",pt=\(payloadType)" }
        if let ssrc = rtp.ssrc {
            let digits = String(ssrc, radix: 16)
            text += ",ssrc=0x" + String(repeating: "0", count: 8 - digits.count) + digits
        }
        if rtp.sequenceOffset != 0 { text += ",sequence-offset=\(rtp.sequenceOffset)" }
        if rtp.timestampOffset != 0 { text += ",timestamp-offset=\(rtp.timestampOffset)" }
        if packets != .all { text += ",packets=\(packets.rawValue)" }
        if let srtp { text += ",srtp=\(srtp)" }
        if isForced { text += ",force=on" }
        return text
    }
}

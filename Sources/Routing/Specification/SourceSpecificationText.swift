// The text of a route's source: `239.1.1.10:5004@eth0,source=10.1.0.7`.

import RTPWire

extension SourceSpecification: CustomStringConvertible {
    /// The keys that may follow the interface.
    static let keys = ["source", "source-port", "join", "srtp"]

    /// Reads `ADDRESS:UDPPORT@INTERFACE[.VLAN[.VLAN]][,source=ADDRESS][,source-port=UDPPORT][,join=on|off][,srtp=KEY]` and checks it
    /// (`validate()`).
    public init(_ text: String) throws(SpecificationError) {
        let endpoint = try EndpointText(text, keys: Self.keys, example: "239.1.1.10:5004@eth0")
        self.init(address: endpoint.address, udpPort: endpoint.udpPort, port: endpoint.port)
        if let value = endpoint.options["source"] {
            source = try EndpointText.address(value, option: "source", of: text)
        }
        if let value = endpoint.options["source-port"] {
            sourceUDPPort = try EndpointText.udpPort(value, part: .option("source-port"), of: text)
        }
        switch endpoint.options["join"] {
        case nil, "on": joins = true
        case "off": joins = false
        case let value?:
            throw SpecificationError(
                .option("join"), value, of: text, "is neither on nor off", remedy: "use join=on or join=off")
        }
        if let value = endpoint.options["srtp"] { srtp = try KeyReference(value, of: text) }
        try validate()
    }

    /// The shortest text that reads as this source.
    public var description: String {
        var text = "\(address.bracketed):\(udpPort)@\(port)"
        if let source { text += ",source=\(source)" }
        if let sourceUDPPort { text += ",source-port=\(sourceUDPPort)" }
        if !joins { text += ",join=off" }
        if let srtp { text += ",srtp=\(srtp)" }
        return text
    }
}

// The grammar that both kinds of endpoint share: `ADDRESS:UDPPORT@INTERFACE[.VLAN[.VLAN]][,key=value…]`.

import RTPWire

/// The parts of an endpoint's text, each already read as far as its meaning does not depend on the kind of endpoint.
struct EndpointText {
    /// The text as it was given.
    let text: String
    /// The part before the UDP port.
    let address: IPAddress
    /// The part before the `@`.
    let udpPort: UInt16
    /// The part behind the `@`.
    let port: PortReference
    /// The `key=value` pairs, by key.
    let options: [String: String]

    /// Reads `text`, whose options may be `keys`.
    init(_ text: String, keys: [String], example: String) throws(SpecificationError) {
        self.text = text
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        let place = fields.first ?? ""
        guard let at = place.firstIndex(of: "@") else {
            throw SpecificationError(
                .endpoint, text, "names no interface", remedy: "write ADDRESS:UDPPORT@INTERFACE, as in \(example)")
        }
        let socket = place[..<at]
        let (addressText, portText) = try Self.split(socket: socket, of: text, example: example)
        // Without brackets the last group of an IPv6 address would be taken for the UDP port.
        let lacksBrackets = addressText.contains(":") && !socket.hasPrefix("[")
        guard !lacksBrackets, let address = IPAddress(addressText) else {
            throw SpecificationError(
                .address, String(addressText), of: text, lacksBrackets ? "needs brackets" : "is not an IP address",
                remedy: "write it as in \(example) or [ff3e::1]:5004@eth0")
        }
        self.address = address
        udpPort = try Self.udpPort(portText, part: .udpPort, of: text)
        port = try PortReference(text: String(place[place.index(after: at)...]), of: text)
        options = try Self.options(fields.dropFirst(), keys: keys, of: text)
    }

    /// Splits `10.1.0.7:5004` or `[2001:db8::1]:5004`.
    private static func split(
        socket: Substring, of text: String, example: String
    ) throws(SpecificationError) -> (address: Substring, udpPort: Substring) {
        let missing = SpecificationError(
            .endpoint, text, "names no UDP port", remedy: "write ADDRESS:UDPPORT@INTERFACE, as in \(example)")
        if socket.hasPrefix("[") {
            guard let end = socket.firstIndex(of: "]") else {
                throw SpecificationError(
                    .address, String(socket), of: text, "has no closing bracket", remedy: "write [ff3e::1]:5004@eth0")
            }
            let rest = socket[socket.index(after: end)...]
            guard rest.hasPrefix(":") else { throw missing }
            return (socket[socket.index(after: socket.startIndex)..<end], rest.dropFirst())
        }
        guard let colon = socket.lastIndex(of: ":") else { throw missing }
        return (socket[..<colon], socket[socket.index(after: colon)...])
    }

    /// Reads a UDP port, 1 to 65535.
    static func udpPort(
        _ value: some StringProtocol, part: SpecificationError.Part, of text: String
    ) throws(SpecificationError) -> UInt16 {
        let number: UInt16 = try number(value, in: 1...UInt16.max, part: part, of: text)
        return number
    }

    /// Reads a decimal number within `range`.
    static func number<Number: FixedWidthInteger>(
        _ value: some StringProtocol, in range: ClosedRange<Number>, part: SpecificationError.Part, of text: String
    ) throws(SpecificationError) -> Number {
        let isNumber = !value.isEmpty && value.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isNumber, let number = Number(value), range.contains(number) else {
            throw SpecificationError(
                part, String(value), of: text, isNumber ? "is out of range" : "is not a number",
                remedy: "use \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// Reads an address that is the value of an option, with or without brackets.
    static func address(
        _ value: String, option key: String, of text: String, orOneOf words: [String] = []
    ) throws(SpecificationError) -> IPAddress {
        let bare = value.hasPrefix("[") && value.hasSuffix("]") ? String(value.dropFirst().dropLast()) : value
        guard let address = IPAddress(bare) else {
            let words = words.isEmpty ? "" : "\(words.joined(separator: ", ")) or "
            throw SpecificationError(
                .option(key), value, of: text, "is not an IP address", remedy: "use \(words)an address such as 10.1.0.7"
            )
        }
        return address
    }

    private static func options(
        _ fields: ArraySlice<Substring>, keys: [String], of text: String
    ) throws(SpecificationError) -> [String: String] {
        var options: [String: String] = [:]
        for field in fields {
            guard let equals = field.firstIndex(of: "="), equals != field.startIndex else {
                throw SpecificationError(
                    .option(String(field)), String(field), of: text, "is not key=value",
                    remedy: "known keys are \(keys.joined(separator: ", "))")
            }
            let key = String(field[..<equals])
            let value = String(field[field.index(after: equals)...])
            guard keys.contains(key) else {
                throw SpecificationError(
                    .option(key), value, of: text, "is unknown", remedy: Suggestion.remedy(for: key, in: keys))
            }
            guard !value.isEmpty else {
                throw SpecificationError(
                    .option(key), value, of: text, "is empty", remedy: "give it a value or leave it out")
            }
            guard options.updateValue(value, forKey: key) == nil else {
                throw SpecificationError(.option(key), value, of: text, "stands twice", remedy: "give it once")
            }
        }
        return options
    }
}

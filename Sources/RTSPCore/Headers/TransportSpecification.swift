// One way for the packets of a stream to travel.

public import RTPWire

/// One alternative of a Transport header (RFC 2326 section 12.39).
///
/// Values that cannot be read count as absent, and are kept with the unknown parameters in `others`; `unreadable` names those
/// that say how packets travel.
public struct TransportSpecification: Hashable, Sendable {
    /// The part behind `RTP/`, or the whole of another protocol.
    public enum Profile: Hashable, Sendable {
        /// RFC 3551, RFC 3711, RFC 4585, RFC 5124.
        case avp, savp, avpf, savpf
        /// `RAW/RAW`, `MP2T/H2221`, …: as it was written, without the lower transport.
        case other(String)
    }

    public enum LowerTransport: Hashable, Sendable { case udp, tcp }
    public enum Delivery: String, Hashable, Sendable { case unicast, multicast }

    public var profile: Profile
    public var lowerTransport: LowerTransport
    /// Nil where neither is said: multicast then, says the RFC; players and cameras that say nothing mean unicast where they name
    /// `client_port` or `interleaved`.
    public var delivery: Delivery?
    /// `destination`, without the brackets of IPv6; empty where it has no value.
    public var destination: String?
    /// `source`: an address or a host name, without the brackets of IPv6.
    public var source: String?
    /// `interleaved`: the channels of RTP and RTCP.
    public var interleaved: Pair<UInt8>?
    /// `ttl`, `layers`
    public var timeToLive: UInt8?
    public var layers: UInt8?
    /// `port`: the UDP ports of a multicast stream.
    public var multicastUDPPorts: Pair<UInt16>?
    /// `client_port`, `server_port`
    public var clientUDPPorts: Pair<UInt16>?
    public var serverUDPPorts: Pair<UInt16>?
    public var ssrc: UInt32?
    /// `mode`: empty where it is not said, which means PLAY. `receive` is read as RECORD.
    public var modes: [RTSPMethod]
    public var append: Bool
    /// Parameters that are none of these, as they were written.
    public var others: [String]

    public init(
        profile: Profile = .avp, lowerTransport: LowerTransport = .udp, delivery: Delivery? = nil,
        destination: String? = nil, source: String? = nil, interleaved: Pair<UInt8>? = nil, timeToLive: UInt8? = nil,
        multicastUDPPorts: Pair<UInt16>? = nil, clientUDPPorts: Pair<UInt16>? = nil,
        serverUDPPorts: Pair<UInt16>? = nil, ssrc: UInt32? = nil, modes: [RTSPMethod] = []
    ) {
        self.profile = profile
        self.lowerTransport = lowerTransport
        self.delivery = delivery
        self.destination = destination
        self.source = source
        self.interleaved = interleaved
        self.timeToLive = timeToLive
        self.multicastUDPPorts = multicastUDPPorts
        self.clientUDPPorts = clientUDPPorts
        self.serverUDPPorts = serverUDPPorts
        self.ssrc = ssrc
        self.modes = modes
        append = false
        others = []
    }

    /// True if it is for playing: a mode that is not said is.
    public var isPlay: Bool { modes.isEmpty || modes.contains(.play) }
    public var isRecord: Bool { modes.contains(.record) }
    /// True if packets go to a group: said, or meant by `port` or by nothing that only unicast has.
    public var isMulticast: Bool {
        delivery.map { $0 == .multicast }
            ?? (lowerTransport == .udp && interleaved == nil && clientUDPPorts == nil && serverUDPPorts == nil)
    }
    /// The first parameter of those that say where packets go or what for, if it is there and cannot be read.
    public var unreadable: String? {
        let names = ["interleaved", "client_port", "port", "destination", "mode"]
        return others.first { names.contains(HeaderText.parameter($0[...]).name) }
    }
    public var destinationAddress: IPAddress? { destination.flatMap { IPAddress($0) } }
    public var sourceAddress: IPAddress? { source.flatMap { IPAddress($0) } }
}

extension TransportSpecification {
    /// Two numbers for RTP and RTCP, or one that leaves the second to be its successor.
    public struct Pair<Number: FixedWidthInteger & UnsignedInteger & Sendable>: Hashable, Sendable {
        public var rtp: Number
        /// As it was written.
        public var second: Number?

        public init(_ rtp: Number, _ second: Number? = nil) {
            self.rtp = rtp
            self.second = second
        }

        init?(_ text: Substring) {
            let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            guard let rtp = HeaderText.number(HeaderText.trim(parts[0]), as: Number.self) else { return nil }
            self.rtp = rtp
            if parts.count == 2 {
                guard let second = HeaderText.number(HeaderText.trim(parts[1]), as: Number.self) else { return nil }
                self.second = second
            }
        }

        /// RTCP's: the one that was written, or the one after RTP's; nil where that would be too large.
        public var rtcp: Number? { second ?? (rtp == .max ? nil : rtp + 1) }
    }

    /// Reads one alternative, its parts in any order. Nil where no part names a protocol.
    init?(_ text: Substring) {
        var specification: TransportSpecification?
        var parameters: [Substring] = []
        for part in HeaderText.split(text, at: UInt8(ascii: ";")) where !part.isEmpty {
            if specification == nil, !part.utf8.contains(UInt8(ascii: "=")), part.utf8.contains(UInt8(ascii: "/")) {
                specification = Self.protocolOf(part)
            } else {
                parameters.append(part)
            }
        }
        guard var specification else { return nil }
        for parameter in parameters where !specification.take(parameter) {
            specification.others.append(String(parameter))
        }
        self = specification
    }

    private static func protocolOf(_ text: Substring) -> TransportSpecification {
        var parts = text.utf8.split(separator: UInt8(ascii: "/")).map { HeaderText.trim(Substring($0)) }
        var lower = LowerTransport.udp
        if parts.count > 2, let last = parts.last {
            switch HeaderText.lowercased(last) {
            case "tcp": lower = .tcp
            case "udp": break
            default: return TransportSpecification(profile: .other(String(text)))
            }
            parts.removeLast()
        }
        let name = parts.joined(separator: "/")
        let profile: Profile =
            switch HeaderText.lowercased(name) {
            case "rtp/avp": .avp
            case "rtp/savp": .savp
            case "rtp/avpf": .avpf
            case "rtp/savpf": .savpf
            default: .other(name)
            }
        return TransportSpecification(profile: profile, lowerTransport: lower)
    }

    /// Takes one parameter; false where it is unknown or cannot be read.
    private mutating func take(_ text: Substring) -> Bool {
        let (name, value) = HeaderText.parameter(text)
        let text = value ?? ""
        func set<T>(_ path: WritableKeyPath<Self, T?>, _ value: T?) -> Bool {
            if let value { self[keyPath: path] = value }
            return value != nil
        }
        switch name {
        case "unicast": delivery = .unicast
        case "multicast": delivery = .multicast
        case "append": append = true
        case "destination": return set(\.destination, Self.host(text))
        case "source": return set(\.source, Self.host(text).flatMap { $0.isEmpty ? nil : $0 })
        case "interleaved": return set(\.interleaved, Pair(text))
        case "ttl": return set(\.timeToLive, HeaderText.number(text))
        case "layers": return set(\.layers, HeaderText.number(text))
        case "port": return set(\.multicastUDPPorts, Pair(text))
        case "client_port": return set(\.clientUDPPorts, Pair(text))
        case "server_port": return set(\.serverUDPPorts, Pair(text))
        case "ssrc": return set(\.ssrc, Self.ssrc(text))
        case "mode":
            let names = text.utf8.split(separator: UInt8(ascii: ",")).map { HeaderText.trim(Substring($0)) }
            guard names.allSatisfy(HeaderText.isToken) else { return false }
            modes = names.map { name in
                let name = HeaderText.uppercased(name)
                return name == "RECEIVE" ? .record : RTSPMethod(name)
            }
        default: return false
        }
        return true
    }

    /// An address without brackets, or a name; nil where it has what would end or quote a parameter.
    private static func host(_ text: Substring) -> String? {
        let isBracketed = text.utf8.first == UInt8(ascii: "[") && text.utf8.last == UInt8(ascii: "]")
        let host = isBracketed ? text.dropFirst().dropLast() : text
        let excluded = Array("\",;[]".utf8)
        return host.utf8.allSatisfy { (0x21...0x7e).contains($0) && !excluded.contains($0) } ? String(host) : nil
    }

    /// Eight hexadecimal digits, but cameras also pad with spaces, leave zeros out, and write decimal numbers.
    private static func ssrc(_ text: Substring) -> UInt32? {
        let digits = text.hasPrefix("0x") || text.hasPrefix("0X") ? text.dropFirst(2) : text
        guard !digits.isEmpty, digits.utf8.count <= 10, digits.allSatisfy(\.isHexDigit) else { return nil }
        return digits.utf8.count <= 8 ? UInt32(digits, radix: 16) : UInt32(digits)
    }
}

extension TransportSpecification: CustomStringConvertible {
    /// As it is written: `RTP/AVP;unicast;client_port=3456-3457;mode="PLAY"`. Parameters in `others` are left out.
    public var description: String {
        var parts = [profile.description + (lowerTransport == .tcp ? "/TCP" : "")]
        func add(_ name: String, _ value: (some CustomStringConvertible)?) {
            if let value { parts.append("\(name)=\(value)") }
        }
        if let delivery { parts.append(delivery.rawValue) }
        // The grammar has plain hosts here; an IPv6 address needs no brackets, since `;` ends it.
        if let destination { parts.append(destination.isEmpty ? "destination" : "destination=\(destination)") }
        add("source", source)
        add("interleaved", interleaved)
        add("ttl", timeToLive)
        add("layers", layers)
        add("port", multicastUDPPorts)
        add("client_port", clientUDPPorts)
        add("server_port", serverUDPPorts)
        if let ssrc {
            let digits = String(ssrc, radix: 16, uppercase: true)
            parts.append("ssrc=" + String(repeating: "0", count: 8 - digits.count) + digits)
        }
        if !modes.isEmpty { parts.append("mode=\"\(modes.map(\.name).joined(separator: ","))\"") }
        if append { parts.append("append") }
        return parts.joined(separator: ";")
    }
}

extension TransportSpecification.Pair: CustomStringConvertible {
    /// As it was written: `3456-3457`, or `3456`.
    public var description: String { second.map { "\(rtp)-\($0)" } ?? "\(rtp)" }
}

extension TransportSpecification.Profile {
    /// True if packets are SRTP.
    public var isSecured: Bool { self == .savp || self == .savpf }
}

extension TransportSpecification.Profile: CustomStringConvertible {
    /// `RTP/AVP`.
    public var description: String {
        switch self {
        case .avp: "RTP/AVP"
        case .savp: "RTP/SAVP"
        case .avpf: "RTP/AVPF"
        case .savpf: "RTP/SAVPF"
        case .other(let name): name
        }
    }
}

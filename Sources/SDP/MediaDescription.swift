// One medium of a session: its `m=` line and the lines that belong to it.

/// A medium (RFC 8866 section 5.14).
public struct MediaDescription: Hashable, Sendable, SDPSection {
    /// The `m=` line: as it came, until one of its parts is changed.
    public private(set) var line: SDPLine
    /// The lines that follow it.
    public var lines: [SDPLine]

    /// `audio`, `video`, `application` or another word.
    public var kind: String { didSet { if kind != oldValue { writeLine() } } }
    /// The UDP port (of TCP media, the TCP port); 0 where SETUP decides, or the medium is refused.
    public var udpPort: UInt16 { didSet { if udpPort != oldValue { writeLine() } } }
    /// The number of UDP ports (pairs, with RTCP): 1 unless the line says `/n`.
    public var portCount: Int { didSet { if portCount != oldValue { writeLine() } } }
    /// The transport: `RTP/AVP`, `RTP/SAVPF`, …
    public var transport: String { didSet { if transport != oldValue { writeLine() } } }
    /// The formats: payload types for RTP.
    public var formats: [String] { didSet { if formats != oldValue { writeLine() } } }

    /// A new medium.
    public init(
        kind: String, udpPort: UInt16, portCount: Int = 1, transport: String = "RTP/AVP", formats: [String],
        lines: [SDPLine] = []
    ) {
        self.kind = kind
        self.udpPort = udpPort
        self.portCount = portCount
        self.transport = transport
        self.formats = formats
        self.lines = lines
        line = SDPLine("m", "")
        writeLine()
    }

    /// The medium that an `m=` line opens. With `isLenient` a UDP port that cannot be one is 0, as where SETUP decides.
    init(parsing line: SDPLine, isLenient: Bool = false) throws(SDPError) {
        let fields = line.fields
        guard fields.count >= 3 else {
            throw SDPError("names no UDP port and transport; expected 'm=video 5004 RTP/AVP 96'")
        }
        let port = fields[1].split(separator: "/", maxSplits: 1)
        let udpPort = port.first.flatMap { UInt16($0) }
        guard udpPort != nil || isLenient else {
            throw SDPError("has the port '\(fields[1])'; expected 0 to 65535")
        }
        kind = fields[0]
        self.udpPort = udpPort ?? 0
        portCount = port.count > 1 ? max(UInt16(port[1]).map(Int.init) ?? 1, 1) : 1
        transport = fields[2]
        formats = Array(fields[3...])
        lines = []
        self.line = line
        if udpPort == nil { writeLine() }
    }

    private mutating func writeLine() {
        let port = portCount == 1 ? "\(udpPort)" : "\(udpPort)/\(portCount)"
        line = SDPLine("m", ([kind, port, transport] + formats).joined(separator: " "))
    }

    /// True if the medium is RTP: its transport is `RTP/…`, or one that runs over it, as `UDP/TLS/RTP/SAVPF`.
    public var isRTP: Bool { transport.split(atAny: [UInt8(ascii: "/")]).contains { $0.equalsIgnoringCase("RTP") } }

    /// The formats that are RTP payload types.
    public var payloadTypes: [UInt8] { formats.compactMap { UInt8($0) }.filter { $0 < 128 } }

    /// The encoding of a payload type: as `a=rtpmap` says (section 6.6), else as RFC 3551 assigns it; nil if neither does.
    public func rtpMap(payloadType: UInt8) -> RTPMap? {
        for value in attributes(named: "rtpmap") {
            let fields = value.fields
            if fields.count >= 2, UInt8(fields[0]) == payloadType, let map = RTPMap(fields[1]) { return map }
        }
        return RTPMap.assigned(to: payloadType)
    }

    /// The clock rate of the first format in hertz; nil if it is unknown.
    public var clockRate: UInt32? { payloadTypes.first.flatMap { rtpMap(payloadType: $0)?.clockRate } }

    /// The parameters of a payload type, `a=fmtp` (section 6.15), as they are written; nil if there are none.
    public func formatParameters(payloadType: UInt8) -> String? {
        for value in attributes(named: "fmtp") {
            let end = value.utf8.firstIndex { $0 == 0x20 || $0 == 0x09 } ?? value.endIndex
            if UInt8(value[..<end]) == payloadType { return value[end...].trimmed }
        }
        return nil
    }

    /// True if RTP and RTCP share a UDP port, `a=rtcp-mux` (RFC 5761 section 5.1.1).
    public var hasRTCPMultiplexing: Bool { hasAttribute("rtcp-mux") }

    /// The destination of RTCP, `a=rtcp` (RFC 3605 section 2.1); nil if it is not said.
    public var rtcp: RTCPAttribute? {
        get { attribute("rtcp").flatMap(RTCPAttribute.init) }
        set { if let newValue { setAttribute("rtcp", newValue.text) } else { removeAttributes(named: "rtcp") } }
    }

    /// The UDP port of RTCP: that of RTP if they share it, else what `a=rtcp` says, else the next one. Nil for UDP port 0 and after the last.
    public var rtcpUDPPort: UInt16? {
        guard udpPort != 0 else { return nil }
        if hasRTCPMultiplexing { return udpPort }
        return rtcp?.udpPort ?? (udpPort < .max ? udpPort + 1 : nil)
    }
}

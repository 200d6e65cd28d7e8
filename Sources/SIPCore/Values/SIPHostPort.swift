// A host, and the UDP or TCP port where one is named.

/// `host [":" port]` of RFC 3261 section 25.1.
public struct SIPHostPort: Hashable, Sendable, CustomStringConvertible {
    public var host: SIPHost
    /// The UDP or TCP port, by the transport; nil where none is written.
    public var transportPort: UInt16?

    public init(_ host: SIPHost, _ transportPort: UInt16? = nil) {
        self.host = host
        self.transportPort = transportPort
    }

    /// Reads `192.0.2.1:5060`, `[2001:db8::1]` or `example.com`; white space around the colon is allowed (Via).
    public init(_ text: some StringProtocol) throws(SIPSyntaxError) {
        let bytes = Array(text.utf8)
        let end = bytes.lastIndex(of: UInt8(ascii: "]")) ?? 0
        guard let colon = bytes[end...].firstIndex(of: UInt8(ascii: ":")) else {
            host = try SIPHost(ValueList.trimmed(bytes))
            return
        }
        host = try SIPHost(ValueList.trimmed(Array(bytes[..<colon])))
        let digits = ValueList.trimmed(Array(bytes[(colon + 1)...]))
        guard let number: UInt16 = ASCII.number(digits), number > 0 else {
            throw SIPSyntaxError("'\(digits)' is no port")
        }
        transportPort = number
    }

    public var description: String { transportPort.map { "\(host):\($0)" } ?? "\(host)" }

    /// True if both name the same place for `transport`, a missing port being the transport's own.
    public func isEquivalent(to other: SIPHostPort, for transport: SIPTransport) -> Bool {
        host.isEquivalent(to: other.host)
            && (transportPort ?? transport.defaultPort) == (other.transportPort ?? transport.defaultPort)
    }
}

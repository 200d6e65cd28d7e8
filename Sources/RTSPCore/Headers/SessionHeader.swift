// Session that a message is about.

/// The Session header (RFC 2326 section 12.37).
public struct SessionHeader: Hashable, Sendable, CustomStringConvertible {
    /// The longest identifier that is taken, in bytes.
    public static let maximumLength = 256

    public var id: String
    /// In seconds; nil where it is not said: 60 then.
    public var timeout: UInt32?

    public init(_ id: String, timeout: UInt32? = nil) {
        self.id = id
        self.timeout = timeout
    }

    /// Reads `abc;timeout=60`, with white space and unknown parameters where clients put them. Nil without an identifier, and for
    /// one with control characters or that is too long. A timeout of 0 or that is not a number counts as not said.
    public init?(_ value: String) {
        let parts = HeaderText.split(value[...], at: UInt8(ascii: ";"))
        guard (1...Self.maximumLength).contains(parts[0].utf8.count),
            parts[0].utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f })
        else { return nil }
        id = String(parts[0])
        for part in parts.dropFirst() {
            let (name, value) = HeaderText.parameter(part)
            guard name == "timeout", let value, let seconds = HeaderText.number(value, as: UInt32.self), seconds > 0
            else { continue }
            timeout = seconds
        }
    }

    public var description: String { id + (timeout.map { ";timeout=\($0)" } ?? "") }
}

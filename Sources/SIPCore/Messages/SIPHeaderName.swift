// The names of header fields: compact forms and comparison.

/// Header field names (RFC 3261 section 7.3).
public enum SIPHeaderName {
    /// The long form of a name: `v` is Via (RFC 3261 section 7.3.3 and the IANA registry). Others stay as written.
    public static func expanded(_ name: String) -> String {
        guard name.utf8.count == 1, let letter = name.utf8.first else { return name }
        return switch letter | 0x20 {
        case UInt8(ascii: "a"): "Accept-Contact"
        case UInt8(ascii: "b"): "Referred-By"
        case UInt8(ascii: "c"): "Content-Type"
        case UInt8(ascii: "d"): "Request-Disposition"
        case UInt8(ascii: "e"): "Content-Encoding"
        case UInt8(ascii: "f"): "From"
        case UInt8(ascii: "i"): "Call-ID"
        case UInt8(ascii: "j"): "Reject-Contact"
        case UInt8(ascii: "k"): "Supported"
        case UInt8(ascii: "l"): "Content-Length"
        case UInt8(ascii: "m"): "Contact"
        case UInt8(ascii: "o"): "Event"
        case UInt8(ascii: "r"): "Refer-To"
        case UInt8(ascii: "s"): "Subject"
        case UInt8(ascii: "t"): "To"
        case UInt8(ascii: "u"): "Allow-Events"
        case UInt8(ascii: "v"): "Via"
        case UInt8(ascii: "x"): "Session-Expires"
        default: name
        }
    }

    /// True if two names, of ASCII letters and signs, are the same field's; case does not matter.
    public static func isSame(_ one: String, _ other: String) -> Bool { ASCII.isSame(one, other) }
}

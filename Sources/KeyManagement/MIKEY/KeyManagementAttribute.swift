// MIKEY in SDP and in headers of RTSP.

/// The value of `a=key-mgmt` (RFC 4567 section 3): a protocol, and its message in base64.
public enum KeyManagementAttribute {
    /// The message of a value as `mikey AQAFgM0X…`. Throws for another protocol, and for a value that is not a message.
    public static func message(in value: some StringProtocol) throws(KeyManagementError) -> MIKEYMessage {
        let fields = value.utf8.split(whereSeparator: { $0 == 0x20 || $0 == 0x09 }).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard fields.count == 2 else {
            throw KeyManagementError(.malformed, "a=key-mgmt: expected a protocol and a message, as 'mikey AQAF…'")
        }
        guard fields[0].lowercased() == "mikey" else {
            throw KeyManagementError(.unsupported, "a=key-mgmt: the protocol \(fields[0].prefix(32)); mikey is known")
        }
        return try MIKEYMessage(base64: fields[1])
    }

    /// The value that carries a message. It holds the keys: never log it.
    public static func value(_ message: MIKEYMessage) -> String { "mikey " + message.base64 }
}

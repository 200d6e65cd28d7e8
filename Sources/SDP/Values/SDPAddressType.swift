// Family of an address of SDP, from the text that senders write.

/// The address types of RFC 8866 section 8.2.7.
enum SDPAddressType {
    /// True if an address type, or if it is another word the address itself, is of IPv6.
    static func isIPv6(type: String, address: String) -> Bool {
        type.equalsIgnoringCase("IP6") || !type.equalsIgnoringCase("IP4") && address.utf8.contains(UInt8(ascii: ":"))
    }
}

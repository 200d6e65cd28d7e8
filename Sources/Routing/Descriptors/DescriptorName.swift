// Form of a descriptor's name in messages.

/// The form of a name in which systemd (FDNAME, sd_pid_notify_with_fds(3)) and the holder take it.
enum DescriptorName {
    /// Of the encoded name, in bytes: systemd's limit.
    static let maximumLength = 255
    /// Tells our names from those of other descriptors that systemd may hand over, as of socket units.
    private static let prefix = "held "

    /// The name with `%` and `:` as `%25` and `%3A`.
    ///
    /// - Throws: `invalid` if it is too long or not printable ASCII.
    static func encode(_ name: String) throws(RoutingError) -> String {
        var encoded = prefix
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "%"): encoded += "%25"
            case UInt8(ascii: ":"): encoded += "%3A"
            case 0x20...0x7e: encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default: throw RoutingError(.invalid, "descriptor name '\(name)': only printable ASCII can be stored")
            }
        }
        guard encoded.utf8.count <= maximumLength else {
            throw RoutingError(.invalid, "descriptor name '\(name)': longer than \(maximumLength) bytes when encoded")
        }
        return encoded
    }

    /// The name that was encoded; nil if it is not one of ours.
    static func decode(_ encoded: some StringProtocol) -> String? {
        guard encoded.hasPrefix(prefix) else { return nil }
        let parts = encoded.dropFirst(prefix.count).split(separator: "%", omittingEmptySubsequences: false)
        var name = String(parts[0])
        for part in parts.dropFirst() {
            switch part.prefix(2) {
            case "25": name += "%"
            case "3A": name += ":"
            default: return nil
            }
            name += part.dropFirst(2)
        }
        return name
    }
}

// Descriptions that a client takes.

/// The Accept header (RFC 2326 section 12.1).
public enum AcceptHeader {
    /// True if a client takes `type`, `application/sdp`: named, meant by a wildcard, or not excluded since the request
    /// has no Accept.
    public static func allows(_ type: String, in headers: RTSPHeaders) -> Bool {
        let values = headers.all("Accept")
        guard !values.isEmpty else { return true }
        let main = type.prefix { $0 != "/" }
        return values.flatMap { HeaderText.split($0[...], at: UInt8(ascii: ",")) }.contains { range in
            let parts = HeaderText.split(range, at: UInt8(ascii: ";"))
            let isExcluded = parts.dropFirst().contains {
                let (name, value) = HeaderText.parameter($0)
                return name == "q" && value.map { Double($0) == 0 } == true
            }
            return !isExcluded && ["*/*", "\(main)/*", type].contains(HeaderText.lowercased(parts[0]))
        }
    }
}

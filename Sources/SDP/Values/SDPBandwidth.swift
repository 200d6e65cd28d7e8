// Bandwidth that media need, as their sender says.

extension SDPSection {
    /// The bandwidth of a kind (RFC 8866 section 5.8): `AS` in kb/s, `TIAS` in b/s. Nil if it is not said.
    public func bandwidth(_ kind: String) -> UInt64? {
        for value in values(of: "b") {
            let parts = value.split(atAny: [UInt8(ascii: ":"), 0x20])
            if parts.count >= 2, parts[0].equalsIgnoringCase(kind), let number = UInt64(parts[1]) { return number }
        }
        return nil
    }
}

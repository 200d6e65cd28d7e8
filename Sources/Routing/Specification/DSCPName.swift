// The names of DSCP values: RFC 2474 (CS), RFC 2597 (AF), RFC 3246 (EF), RFC 5865 (VA), RFC 8622 (LE).

/// Reads the names that operators know DSCP values by.
enum DSCPName {
    /// The value of `CS0` to `CS7`, `AF11` to `AF43`, `EF`, `VA`, `LE`, `DF` or `BE`, in any case; nil for anything else.
    static func value(of name: String) -> UInt8? {
        let name = name.uppercased()
        switch name {
        case "EF": return 46
        case "VA": return 44
        case "LE": return 1
        case "DF", "BE": return 0
        default: break
        }
        let digits = name.dropFirst(2).compactMap(\.wholeNumberValue)
        if name.hasPrefix("CS"), name.count == 3, let selector = digits.first, (0...7).contains(selector) {
            return UInt8(selector * 8)
        }
        if name.hasPrefix("AF"), name.count == 4, digits.count == 2, (1...4).contains(digits[0]),
            (1...3).contains(digits[1])
        {
            return UInt8(digits[0] * 8 + digits[1] * 2)
        }
        return nil
    }
}

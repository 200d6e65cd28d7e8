// Number of packets that a key is good for.

/// The lifetime of a master key in packets (RFC 4568 section 6.1), as it is written.
public enum KeyLifetime: Hashable, Sendable {
    /// `2^n`, with n from 1 to 48.
    case powerOfTwo(UInt8)
    case packets(UInt64)

    /// The most that RFC 3711 section 9.2 allows.
    static let maximumExponent: UInt8 = 48

    /// The number of packets.
    public var count: UInt64 {
        switch self {
        case .powerOfTwo(let exponent): 1 << UInt64(exponent)
        case .packets(let count): count
        }
    }

    /// Reads `2^20` or `1048576`; nil for a lifetime of none, or longer than 2^48.
    init?(_ text: some StringProtocol) {
        if text.utf8.starts(with: "2^".utf8) {
            guard let exponent = Decimal.number(text.dropFirst(2), as: UInt8.self),
                1...Self.maximumExponent ~= exponent
            else { return nil }
            self = .powerOfTwo(exponent)
        } else {
            guard let count = Decimal.number(text, as: UInt64.self), 1...(1 << Self.maximumExponent) ~= count else {
                return nil
            }
            self = .packets(count)
        }
    }

    var text: String {
        switch self {
        case .powerOfTwo(let exponent): "2^\(exponent)"
        case .packets(let count): String(count)
        }
    }
}

// Numbers of decimal digits alone: no sign, no spaces.

enum Decimal {
    /// The number; nil for anything but digits, and for one that is too large.
    static func number<T: FixedWidthInteger>(_ text: some StringProtocol, as: T.Type = T.self) -> T? {
        isDigits(text) ? T(text) : nil
    }

    static func isDigits(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// A number of any size in `length` bytes, the most significant first; nil if it does not fit, or is none.
    static func bytes(of text: some StringProtocol, length: Int) -> [UInt8]? {
        guard isDigits(text) else { return nil }
        var result = [UInt8](repeating: 0, count: length)
        for digit in text.utf8 {
            var carry = UInt32(digit - 0x30)
            for index in result.indices.reversed() {
                carry += UInt32(result[index]) * 10
                result[index] = UInt8(truncatingIfNeeded: carry)
                carry >>= 8
            }
            if carry != 0 { return nil }
        }
        return result
    }

    /// The same, read back.
    static func text(of bytes: [UInt8]) -> String {
        // The least significant digit first.
        var digits: [UInt8] = [0]
        for byte in bytes {
            var carry = UInt32(byte)
            for index in digits.indices {
                carry += UInt32(digits[index]) << 8
                digits[index] = UInt8(carry % 10)
                carry /= 10
            }
            while carry > 0 {
                digits.append(UInt8(carry % 10))
                carry /= 10
            }
        }
        return String(decoding: digits.reversed().map { $0 + 0x30 }, as: UTF8.self)
    }
}

// Messages as RFC 4475 section 2 and RFC 5118 section 2 write them.

/// Turns the notation of the torture tests into bytes: lines end in CRLF, `<allOneLine>` joins lines, `<hex>` holds
/// bytes, `<repeat count=N>` repeats.
enum RFCNotation {
    static func bytes(_ text: String) -> [UInt8] {
        let joined = replace(text, "<allOneLine>\n", "</allOneLine>") { $0.split(separator: "\n").joined() }
        let lines = joined.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
        var bytes: [UInt8] = []
        var rest = Substring(expandRepeats(lines))
        while let start = rest.range(of: "<hex>"), let end = rest.range(of: "</hex>") {
            bytes += rest[..<start.lowerBound].utf8
            let digits = Array(rest[start.upperBound..<end.lowerBound].filter(\.isHexDigit))
            for index in stride(from: 0, to: digits.count, by: 2) {
                bytes.append(UInt8(String(digits[index...(index + 1)]), radix: 16)!)
            }
            rest = rest[end.upperBound...]
        }
        return bytes + rest.utf8
    }

    private static func expandRepeats(_ text: String) -> String {
        var result = ""
        var rest = Substring(text)
        while let start = rest.range(of: "<repeat count="), let end = rest.range(of: "</repeat>") {
            let content = rest[start.upperBound..<end.lowerBound].split(separator: ">", maxSplits: 1)
            result += rest[..<start.lowerBound] + String(repeating: String(content[1]), count: Int(content[0])!)
            rest = rest[end.upperBound...]
        }
        return result + rest
    }

    private static func replace(
        _ text: String, _ open: String, _ close: String, _ transform: (Substring) -> String
    ) -> String {
        var result = ""
        var rest = Substring(text)
        while let start = rest.range(of: open), let end = rest.range(of: close) {
            result += rest[..<start.lowerBound] + transform(rest[start.upperBound..<end.lowerBound])
            rest = rest[end.upperBound...]
        }
        return result + rest
    }
}

extension Substring {
    fileprivate func range(of needle: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}

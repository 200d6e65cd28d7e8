// A pattern of the dial plan, ready to be compared.

import Routing

/// A pattern, made once.
struct DialMatcher {
    /// In bytes; longer texts match nothing, so that no caller can make a regular expression work for long.
    static let maximumLength = 255

    private let pattern: DialPattern
    // A Regex is not Sendable; the matcher stays where it is made.
    private let expression: Regex<AnyRegexOutput>?
    /// The number of groups that it finds.
    let groups: Int

    init(_ pattern: DialPattern, setting key: String) throws(SpecificationError) {
        self.pattern = pattern
        switch pattern {
        case .exact(let text), .prefix(let text):
            guard (1...Self.maximumLength).contains(text.utf8.count),
                text.utf8.allSatisfy({ (0x21...0x7e).contains($0) || $0 >= 0x80 })
            else {
                throw SpecificationError(
                    .setting(key), text,
                    "is empty, has white space or control characters, or is longer than \(Self.maximumLength) bytes",
                    remedy: "write what callers dial, such as studio1 or 100")
            }
            expression = nil
            if case .prefix = pattern { groups = 1 } else { groups = 0 }
        case .expression(let text):
            guard !text.isEmpty, text.utf8.count <= 1024 else {
                throw SpecificationError(
                    .setting(key), text, "is empty or longer than 1024 bytes",
                    remedy: #"write a regular expression such as (\d+)"#)
            }
            do {
                expression = try Regex(text)
                // An alternative that matches the empty text shows the number of groups of every match.
                let probe = try Regex("(?:\(text))|")
                groups = min(9, try probe.wholeMatch(in: "").map { $0.output.count - 1 } ?? 0)
            } catch {
                throw SpecificationError(
                    .setting(key), text, "is no regular expression (\(error))",
                    remedy: #"write one such as (\d+)"#)
            }
        }
    }

    /// The texts that the groups found in `text`; nil where the pattern does not match it.
    func match(_ text: String) -> [String]? {
        guard text.utf8.count <= Self.maximumLength else { return nil }
        switch pattern {
        case .exact(let wanted): return wanted == text ? [] : nil
        case .prefix(let prefix): return text.hasPrefix(prefix) ? [String(text.dropFirst(prefix.count))] : nil
        case .expression:
            guard let expression, let found = text.wholeMatch(of: expression) else { return nil }
            return found.output.dropFirst().prefix(groups).map { String($0.substring ?? "") }
        }
    }
}

// Templates of a rewritten user or host.

import Routing

/// A text in which `$user` and `$host` stand for what was called, `$1` to `$9` for what a pattern has found, and `$$` for a dollar sign.
struct DialTemplate: Hashable, Sendable {
    /// The called URI, and the texts that the rule's patterns found in it.
    struct Values {
        var user: String
        var host: String
        /// The values of `$1`…; empty where a group took no part in the match.
        var groups: [String]
    }

    private enum Piece: Hashable {
        case text(String)
        case user
        case host
        /// From 1.
        case group(Int)
    }

    private let pieces: [Piece]

    /// - Parameters:
    ///   - groups: How many groups the pattern has that the template can name.
    ///   - key: The setting's name in errors.
    init(_ text: String, groups: Int, setting key: String) throws(SpecificationError) {
        func refuse(_ problem: String, _ remedy: String) -> SpecificationError {
            SpecificationError(.setting(key), text, problem, remedy: remedy)
        }
        guard (1...255).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw refuse("is empty, longer than 255 bytes or not plain ASCII", "use printable ASCII characters")
        }
        var pieces: [Piece] = []
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            if dollar > rest.startIndex { pieces.append(.text(String(rest[..<dollar]))) }
            rest = rest[dollar...].dropFirst()
            if rest.hasPrefix("$") {
                pieces.append(.text("$"))
                rest = rest.dropFirst()
            } else if rest.hasPrefix("user") {
                pieces.append(.user)
                rest = rest.dropFirst(4)
            } else if rest.hasPrefix("host") {
                pieces.append(.host)
                rest = rest.dropFirst(4)
            } else if let digit = rest.first?.wholeNumberValue, digit > 0 {
                guard digit <= groups else {
                    throw refuse(
                        "names group \(digit), but the pattern has \(groups == 0 ? "none" : "only \(groups)")",
                        "put what is wanted into parentheses in the regular expression")
                }
                pieces.append(.group(digit))
                rest = rest.dropFirst()
            } else {
                throw refuse(
                    "has a '$' that stands for nothing", "write $user, $host, $1 to $9, or $$ for the sign itself")
            }
        }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        self.pieces = pieces
    }

    func expanded(_ values: Values) -> String {
        pieces.reduce(into: "") { result, piece in
            switch piece {
            case .text(let text): result += text
            case .user: result += values.user
            case .host: result += values.host
            case .group(let number): result += values.groups[number - 1]
            }
        }
    }
}

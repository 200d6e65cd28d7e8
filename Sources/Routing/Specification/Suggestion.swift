// The known word that somebody probably meant.

/// Finds the nearest of a few known words.
package enum Suggestion {
    /// The word of `known` that is within a third of its length of `word`, counted in edits; nil if none is.
    package static func nearest(to word: String, in known: some Sequence<String>) -> String? {
        let ranked = known.map { (distance: distance(word, $0), word: $0) }
        guard let best = ranked.min(by: { ($0.distance, $0.word) < ($1.distance, $1.word) }),
            best.distance <= max(1, (best.word.count + 2) / 3)
        else { return nil }
        return best.word
    }

    /// The remedy for an unknown word: the nearest known one, or all of them.
    package static func remedy(for word: String, in known: [String]) -> String {
        if let nearest = nearest(to: word, in: known) { return "did you mean '\(nearest)'?" }
        return "known are \(known.joined(separator: ", "))"
    }

    /// The number of insertions, removals, replacements and swaps of neighbours that lead from one word to the other.
    private static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a)
        let b = Array(b)
        var rows = [Array(0...b.count)]
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var cost = min(rows[i][j] + (a[i] == b[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, rows[i - 1][j - 1] + 1) }
                row.append(cost)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}

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

    /// What to say about an unknown word: the nearest known one, or all of them.
    package static func remedy(for word: String, in known: [String]) -> String {
        if let nearest = nearest(to: word, in: known) { return "did you mean '\(nearest)'?" }
        return "known are \(known.joined(separator: ", "))"
    }

    /// The Levenshtein distance.
    private static func distance(_ a: String, _ b: String) -> Int {
        let b = Array(b)
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let replaced = diagonal + (x == y ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}

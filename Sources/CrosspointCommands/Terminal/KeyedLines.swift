// Keys and values below each other, the values in one column.

/// Writes what is known of one thing.
enum KeyedLines {
    /// One line for each pair; what a peer or a file put into a value stays on its line.
    static func text(_ lines: [(key: String, value: String)]) -> String {
        let width = lines.map(\.key.count).reduce(0, max)
        return lines.map { key, value in
            key + String(repeating: " ", count: width + 2 - key.count) + Table.Cell(value).text + "\n"
        }.joined()
    }
}

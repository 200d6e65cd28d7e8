// One form of table for every command: aligned columns, two spaces between them.

/// Rows of text under titles.
struct Table {
    /// The alignment of the text of a column.
    enum Alignment {
        case left
        case right
    }

    /// A title and the cells below it.
    struct Column {
        var title: String
        var alignment: Alignment

        static func left(_ title: String) -> Column { Column(title: title, alignment: .left) }
        static func right(_ title: String) -> Column { Column(title: title, alignment: .right) }
    }

    /// One cell.
    struct Cell: ExpressibleByStringInterpolation {
        var text: String
        var colour: Colour?

        init(_ text: String, _ colour: Colour? = nil) {
            // A cell is one line, whatever a peer or a file put into it.
            self.text = VisibleText.line(text)
            self.colour = colour
        }

        init(stringLiteral value: String) { self.init(value) }
    }

    let columns: [Column]
    private(set) var rows: [[Cell]] = []

    init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row; cells that are missing are empty.
    mutating func add(_ cells: [Cell]) {
        rows.append(cells + Array(repeating: "", count: max(0, columns.count - cells.count)))
    }

    /// The table as text, every line ended. The titles are there even if no row is.
    func text(colour: Bool) -> String {
        let widths = columns.indices.map { index in
            rows.map { $0[index].text.count }.reduce(columns[index].title.count, max)
        }
        var text = line(columns.map { Cell($0.title, .bold) }, widths, colour: colour)
        for row in rows { text += line(row, widths, colour: colour) }
        return text
    }

    private func line(_ cells: [Cell], _ widths: [Int], colour: Bool) -> String {
        var line = ""
        var padding = 0
        for (index, column) in columns.enumerated() {
            let cell = cells[index]
            let space = widths[index] - cell.text.count
            if column.alignment == .right { padding += space }
            if !cell.text.isEmpty {
                line += String(repeating: " ", count: padding) + (colour ? Colour.paint(cell) : cell.text)
                padding = 0
            }
            if column.alignment == .left { padding += space }
            padding += 2
        }
        return line + "\n"
    }
}

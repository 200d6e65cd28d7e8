// The few colours that carry a meaning.

/// The colour by which a cell is emphasised on a terminal.
enum Colour: String {
    /// Titles.
    case bold = "1"
    /// As it should be.
    case good = "32"
    /// To be looked at.
    case warning = "33"
    /// Wrong.
    case bad = "31"
    /// Of no interest now.
    case faint = "2"

    /// `text` in this colour.
    func paint(_ text: String) -> String { "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" }

    /// The text of `cell` with its colour.
    static func paint(_ cell: Table.Cell) -> String { cell.colour?.paint(cell.text) ?? cell.text }
}

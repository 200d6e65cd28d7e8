// Texts of peers and files on their way to a terminal or a log.

/// Takes out of a text what a terminal would obey: escape sequences, other control characters of C0 and C1, and marks that turn the direction
/// of text (Unicode TR 36 section 3.1). A line break becomes a space.
enum VisibleText {
    /// `text` with U+FFFD for each character that has no place on a line.
    static func line(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHidden) else { return text }
        var line = String.UnicodeScalarView()
        for character in text.replacing("\r\n", with: "\n").unicodeScalars {
            if Character(character).isNewline {
                line.append(" ")
            } else {
                line.append(isHidden(character) ? "\u{FFFD}" : character)
            }
        }
        return String(line)
    }

    private static func isHidden(_ character: Unicode.Scalar) -> Bool {
        switch character.value {
        case 0x00...0x1f, 0x7f...0x9f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}

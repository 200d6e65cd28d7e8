// A small drawing surface that writes SVG.

/// Builds a picture shape by shape. Coordinates are pixels from the top left corner.
public struct SVGPicture {
    /// Colours by their meaning; they read on white and on black.
    public enum Colour: String, Sendable {
        case text = "#57606a"
        case faint = "#8b949e"
        case good = "#2da44e"
        case bad = "#cf222e"
        case first = "#0969da"
        case second = "#a8b3bf"
    }

    /// The position of a text relative to its point.
    public enum Anchor: String, Sendable {
        case start, middle, end
    }

    private let width: Double
    private let height: Double
    private var shapes: [String] = []

    public init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    public mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) {
        shapes.append(
            "<line x1=\"\(Self.number(x1))\" y1=\"\(Self.number(y1))\" x2=\"\(Self.number(x2))\" y2=\"\(Self.number(y2))\" "
                + "stroke=\"\(Colour.faint.rawValue)\"/>")
    }

    public mutating func circle(_ x: Double, _ y: Double, radius: Double, colour: Colour) {
        shapes.append(
            "<circle cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\" r=\"\(Self.number(radius))\" "
                + "fill=\"\(colour.rawValue)\"/>")
    }

    public mutating func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, colour: Colour) {
        guard width > 0, height > 0 else { return }
        shapes.append(
            "<rect x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(width))\" "
                + "height=\"\(Self.number(height))\" fill=\"\(colour.rawValue)\"/>")
    }

    public mutating func text(
        _ text: String, x: Double, y: Double, size: Int, isBold: Bool = false, colour: Colour = .text,
        anchor: Anchor = .start
    ) {
        shapes.append(
            "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" font-size=\"\(size)\" fill=\"\(colour.rawValue)\" "
                + "text-anchor=\"\(anchor.rawValue)\"\(isBold ? " font-weight=\"bold\"" : "")>\(Self.escaped(text))</text>"
        )
    }

    /// The whole document.
    public var document: String {
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(Self.number(width))\" height=\"\(Self.number(height))\" "
            + "viewBox=\"0 0 \(Self.number(width)) \(Self.number(height))\" font-family=\"sans-serif\">\n"
            + shapes.joined(separator: "\n") + "\n</svg>\n"
    }

    /// One decimal at most.
    static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }

    /// `3.5 %`.
    static func percent(_ part: Double) -> String { "\(number(part * 100)) %" }

    /// `20 µs`, as bounds of classes are.
    static func time(_ nanoseconds: UInt64) -> String {
        switch nanoseconds {
        case ..<1000: "\(nanoseconds) ns"
        case ..<1_000_000: "\(number(Double(nanoseconds) / 1000)) µs"
        default: "\(number(Double(nanoseconds) / 1_000_000)) ms"
        }
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            default: result.append(character)
            }
        }
    }
}

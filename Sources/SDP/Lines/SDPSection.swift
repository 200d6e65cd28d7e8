// Common parts of the session's part of a description and each of its media: ordered lines, and attributes among them.

/// The lines before the first `m=`, or those that follow one.
///
/// Names of attributes are compared without regard to case. Every line that no setter names stays as it came.
public protocol SDPSection {
    /// The lines in their order; none of them is an `m=` line.
    var lines: [SDPLine] { get set }
}

extension SDPSection {
    /// The values of all lines of a type, as they are written.
    public func values(of type: Unicode.Scalar) -> [String] { lines.filter { $0.type == type }.map(\.value) }

    // MARK: attributes

    /// The value of the first attribute `name`: empty for a flag, nil if there is none.
    public func attribute(_ name: String) -> String? {
        lines.first { $0.isAttribute(name) }?.attribute?.value
    }

    /// The values of all attributes `name`.
    public func attributes(named name: String) -> [String] {
        lines.filter { $0.isAttribute(name) }.compactMap { $0.attribute?.value }
    }

    /// True if there is an attribute `name`.
    public func hasAttribute(_ name: String) -> Bool { lines.contains { $0.isAttribute(name) } }

    /// Gives the first attribute `name` the value, or makes it a flag without one; others of the name go, and where there is none,
    /// it comes last.
    public mutating func setAttribute(_ name: String, _ value: String? = nil) {
        set("a", to: SDPLine(attribute: name, value)) { $0.isAttribute(name) }
    }

    /// Adds an attribute after all others.
    public mutating func addAttribute(_ name: String, _ value: String? = nil) {
        insert(SDPLine(attribute: name, value))
    }

    /// Removes the attributes of which `condition` is true; it is given name and value.
    public mutating func removeAttributes(where condition: (_ name: String, _ value: String) -> Bool) {
        lines.removeAll { $0.attribute.map { condition($0.name, $0.value) } ?? false }
    }

    /// Removes all attributes `name`.
    public mutating func removeAttributes(named name: String) { lines.removeAll { $0.isAttribute(name) } }

    // MARK: lines

    /// Puts `line` in the place of the first line that `isReplaced`, and removes the others of them; where there is none, `line` comes
    /// where its type belongs. Nil only removes. A line that says the same stays as it is.
    mutating func set(_ type: Unicode.Scalar, to line: SDPLine?, where isReplaced: (SDPLine) -> Bool = { _ in true }) {
        let matches: (SDPLine) -> Bool = { $0.type == type && isReplaced($0) }
        let place = lines.firstIndex(where: matches)
        let old = place.map { lines[$0] }
        lines.removeAll(where: matches)
        guard let line else { return }
        let kept = if let old, old.fields == line.fields { old } else { line }
        if let place { lines.insert(kept, at: place) } else { insert(kept) }
    }

    /// Inserts a line after those that the order of RFC 8866 section 5 puts before it.
    mutating func insert(_ line: SDPLine) {
        let order = Array("vosiuepcbtrzka".unicodeScalars)
        let rank = order.firstIndex(of: line.type) ?? order.count
        let last = lines.lastIndex { other in order.firstIndex(of: other.type).map { $0 <= rank } ?? false }
        lines.insert(line, at: last.map { $0 + 1 } ?? 0)
    }
}

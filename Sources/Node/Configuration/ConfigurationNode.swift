// One node of the configuration's YAML, with the path that leads to it and the errors that name it.

import Routing
import Yams

/// A YAML node that knows its file, its key and its line.
struct ConfigurationNode {
    let file: String
    /// The keys that lead here, joined by dots; empty at the top.
    let key: String
    let node: Yams.Node
    /// The line of the node's key, from 1, or of the node itself.
    let line: Int

    init(file: String, key: String, node: Yams.Node, line: Int? = nil) {
        self.file = file
        self.key = key
        self.node = node
        self.line = line ?? node.mark?.line ?? 1
    }

    /// An error with this node.
    func error(_ problem: String) -> ConfigurationError {
        ConfigurationError(file: file, line: line, key: key.isEmpty ? nil : key, problem: problem)
    }

    /// True if nothing is behind the key.
    var isEmpty: Bool {
        guard case .scalar(let scalar) = node else { return false }
        return scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
    }

    /// True if this is a list.
    var isList: Bool {
        if case .sequence = node { true } else { false }
    }

    /// True if this is keys and values.
    var isMapping: Bool {
        if case .mapping = node { true } else { false }
    }

    /// The pairs of this mapping in the file's order.
    func pairs() throws(ConfigurationError) -> [(key: String, value: ConfigurationNode)] {
        guard case .mapping(let mapping) = node else {
            throw error(
                isEmpty ? "has no value; write its keys below it, indented" : "must be keys and values, 'key: value'")
        }
        var pairs: [(key: String, value: ConfigurationNode)] = []
        for (name, value) in mapping {
            let line = name.mark?.line ?? line
            guard case .scalar(let scalar) = name else {
                throw ConfigurationError(file: file, line: line, key: key, problem: "has a key that is not a word")
            }
            let path = key.isEmpty ? scalar.string : "\(key).\(scalar.string)"
            pairs.append((scalar.string, ConfigurationNode(file: file, key: path, node: value, line: line)))
        }
        return pairs
    }

    /// The values of this mapping, whose keys may be `known`.
    func values(known: [String]) throws(ConfigurationError) -> [String: ConfigurationNode] {
        var values: [String: ConfigurationNode] = [:]
        for (name, value) in try pairs() {
            guard known.contains(name) else {
                throw value.error("unknown key; \(Suggestion.remedy(for: name, in: known))")
            }
            values[name] = value
        }
        return values
    }

    /// The elements of this list. Each has its own line.
    func elements() throws(ConfigurationError) -> [ConfigurationNode] {
        guard case .sequence(let sequence) = node else {
            throw error(
                isEmpty ? "has no value; write [] for an empty list" : "must be a list, '- …' on lines of their own")
        }
        return sequence.enumerated().map { index, element in
            ConfigurationNode(file: file, key: "\(key)[\(index + 1)]", node: element)
        }
    }

    /// This scalar's text, as it is written in the file.
    func text() throws(ConfigurationError) -> String {
        guard case .scalar(let scalar) = node else { throw error("must be one value, not a list or keys") }
        guard !isEmpty else { throw error("has no value") }
        return scalar.string
    }

    /// The text, made into something; an error of `make` becomes an error with this node.
    func parse<Value>(_ make: (String) throws(SpecificationError) -> Value) throws(ConfigurationError) -> Value {
        let text = try text()
        do { return try make(text) } catch { throw self.error(error.description) }
    }

    /// The absolute path of a file or directory, without a last `/`.
    func path() throws(ConfigurationError) -> String {
        let text = try text()
        guard text.hasPrefix("/") else { throw error("'\(text)' is no absolute path; begin it with /") }
        return text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    /// A number within `range`.
    func number(in range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
        let text = try text()
        guard let number = Int(text), range.contains(number) else {
            throw error("'\(text)' is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// `true` or `false`.
    func flag() throws(ConfigurationError) -> Bool {
        switch try text() {
        case "true": return true
        case "false": return false
        case let text: throw error("'\(text)' is neither true nor false")
        }
    }
}

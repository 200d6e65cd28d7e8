// A section of the configuration between what the daemon holds and what is written: as YAML for a file, as JSON for programs.

import Yams

/// A value with its form. YAML leaves out what has its default; JSON has everything.
indirect enum SettingTree {
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([SettingTree])
    case pairs([Pair])

    /// A key with its value.
    struct Pair {
        var key: String
        var value: SettingTree
        /// True if a file can do without it.
        var isDefault: Bool

        init(_ key: String, _ value: SettingTree, isDefault: Bool = false) {
            self.key = key
            self.value = value
            self.isDefault = isDefault
        }
    }

    static func texts(_ texts: [String]) -> SettingTree { .list(texts.map { .text($0) }) }

    /// The YAML without defaults.
    var yaml: Yams.Node {
        switch self {
        case .text(let text): return ConfigurationWriter.scalar(text)
        case .number(let number): return ConfigurationWriter.plain("\(number)")
        case .flag(let flag): return ConfigurationWriter.plain("\(flag)")
        case .list(let elements):
            return Yams.Node(elements.map(\.yaml), .implicit, elements.isEmpty ? .flow : .block)
        case .pairs(let pairs):
            let written = pairs.filter { !$0.isDefault }.map { (ConfigurationWriter.scalar($0.key), $0.value.yaml) }
            return Yams.Node(written, .implicit, written.isEmpty ? .flow : .block)
        }
    }
}

extension SettingTree: Encodable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ text: String) { stringValue = text }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .text(let text):
            var container = encoder.singleValueContainer()
            try container.encode(text)
        case .number(let number):
            var container = encoder.singleValueContainer()
            try container.encode(number)
        case .flag(let flag):
            var container = encoder.singleValueContainer()
            try container.encode(flag)
        case .list(let elements):
            var container = encoder.unkeyedContainer()
            for element in elements { try container.encode(element) }
        case .pairs(let pairs):
            var container = encoder.container(keyedBy: Key.self)
            for pair in pairs { try container.encode(pair.value, forKey: Key(pair.key)) }
        }
    }
}

// The text format in which Prometheus scrapes metrics, version 0.0.4.

/// Collects metric families and writes them: HELP and TYPE once, then the samples.
struct PrometheusWriter {
    /// The kind of value that a metric is.
    enum Kind: String {
        /// Only grows; its name ends in `_total`.
        case counter
        /// Goes up and down.
        case gauge
    }

    /// A name and its value, in the order in which they are written.
    typealias Labels = [(name: String, value: String)]

    private(set) var text = ""

    /// Writes a family whose samples are whole numbers; nothing if there are none.
    mutating func family<Number: BinaryInteger>(
        _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: Labels, value: Number)]
    ) {
        family(name, kind, help, texts: samples.map { ($0.labels, String($0.value)) })
    }

    /// Writes a family whose samples are given in nanoseconds and written in seconds.
    mutating func family(
        _ name: String, _ kind: Kind, _ help: String, nanoseconds samples: [(labels: Labels, value: UInt64)]
    ) {
        family(name, kind, help, texts: samples.map { ($0.labels, Self.seconds($0.value)) })
    }

    /// Writes a family whose samples may have fractions.
    mutating func family(
        _ name: String, _ kind: Kind, _ help: String, numbers samples: [(labels: Labels, value: Double)]
    ) {
        family(
            name, kind, help,
            texts: samples.map { ($0.labels, Int64(exactly: $0.value).map(String.init) ?? "\($0.value)") })
    }

    private mutating func family(_ name: String, _ kind: Kind, _ help: String, texts: [(labels: Labels, value: String)])
    {
        guard !texts.isEmpty else { return }
        text += "# HELP \(name) \(Self.escape(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
        for (labels, value) in texts {
            let list = labels.map { "\($0.name)=\"\(Self.escape($0.value, quotes: true))\"" }.joined(separator: ",")
            text += list.isEmpty ? "\(name) \(value)\n" : "\(name){\(list)} \(value)\n"
        }
    }

    /// Escapes backslashes and line ends, and quotes within label values.
    static func escape(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }

    /// Nanoseconds as seconds, exactly: `1.5` for 1 500 000 000.
    static func seconds(_ nanoseconds: UInt64) -> String {
        let fraction = String(nanoseconds % 1_000_000_000 + 1_000_000_000).dropFirst()
        let significant = fraction.reversed().drop { $0 == "0" }.reversed()
        return "\(nanoseconds / 1_000_000_000)" + (significant.isEmpty ? "" : "." + String(significant))
    }
}

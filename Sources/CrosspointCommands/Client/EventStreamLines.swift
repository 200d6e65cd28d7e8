// Server-sent events from a stream of bytes.

/// Puts events together as their bytes come (WHATWG HTML, section 9.2.6). Pure.
struct EventStreamLines {
    /// The longest line of an event: a longer one is not from a node.
    private static let longest = 1 << 20

    private var line: [UInt8] = []
    private var name = ""
    private var data: [String] = []

    /// The events that end with these bytes.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [(name: String, data: String)] {
        var events: [(name: String, data: String)] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                if line.count < Self.longest { line.append(byte) }
                continue
            }
            let text = String(decoding: line, as: UTF8.self)
            line.removeAll(keepingCapacity: true)
            if text.isEmpty {
                if !data.isEmpty { events.append((name, data.joined(separator: "\n"))) }
                (name, data) = ("", [])
            } else if let value = Self.value("event", of: text) {
                name = value
            } else if let value = Self.value("data", of: text) {
                data.append(value)
            }
        }
        return events
    }

    private static func value(_ field: String, of line: String) -> String? {
        guard line.hasPrefix(field + ":") else { return nil }
        let value = line.dropFirst(field.count + 1)
        return String(value.first == " " ? value.dropFirst() : value)
    }
}

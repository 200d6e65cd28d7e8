// From whom media for a group are accepted.

/// A source filter, `a=source-filter` (RFC 4570 section 3).
public struct SourceFilter: Hashable, Sendable {
    /// The meaning of the list of sources.
    public enum Mode: String, Hashable, Sendable {
        case include = "incl"
        case exclude = "excl"
    }

    public var mode: Mode
    /// `IN`
    public var networkType: String
    /// `IP4`, `IP6`, or `*` for both.
    public var addressType: String
    /// The group that it is for; `*` for every connection address of its section.
    public var destination: String
    /// The sources: addresses or names.
    public var sources: [String]

    public init(
        mode: Mode = .include, networkType: String = "IN", addressType: String, destination: String, sources: [String]
    ) {
        self.mode = mode
        self.networkType = networkType
        self.addressType = addressType
        self.destination = destination
        self.sources = sources
    }

    /// Reads `incl IN IP4 239.1.1.1 10.0.0.1 10.0.0.2`; nil without a source.
    init?(_ value: String) {
        let fields = value.fields
        guard fields.count >= 5, let mode = Mode(rawValue: fields[0].lowercased()) else { return nil }
        self.init(
            mode: mode, networkType: fields[1], addressType: fields[2], destination: fields[3],
            sources: Array(fields[4...]))
    }

    /// The value of the attribute; RFC 4570 has a space before it.
    var text: String {
        " " + ([mode.rawValue, networkType, addressType, destination] + sources).joined(separator: " ")
    }
}

extension SDPSection {
    /// The source filters of this section, without what it inherits.
    public var sourceFilters: [SourceFilter] { attributes(named: "source-filter").compactMap(SourceFilter.init) }

    /// The first source filter of this section. To set it replaces all of them; nil removes them.
    public var sourceFilter: SourceFilter? {
        get { sourceFilters.first }
        set {
            if let newValue {
                setAttribute("source-filter", newValue.text)
            } else {
                removeAttributes(named: "source-filter")
            }
        }
    }
}

// Settings that the sections of all protocol agents have.

import AgentSupport
import RTPWire
import Routing

extension ConfigurationNode {
    /// The path of a file. With `checks`, the file must be there and fit to be used; a secret one must be for its owner and group alone.
    func file(checks: Bool, isSecret: Bool = false) throws(ConfigurationError) -> String {
        let path = try path()
        if checks, let problem = FileAccess.problem(of: path, isSecret: isSecret) { throw error(problem) }
        return path
    }

    /// A certificate: `{chain: FILE, private-key: FILE}`.
    func certificate(checks: Bool) throws(ConfigurationError) -> Certificate {
        let values = try values(known: ["chain", "private-key"])
        guard let chain = values["chain"], let privateKey = values["private-key"] else {
            throw error("has no '\(values["chain"] == nil ? "chain" : "private-key")'; name the files of both, in PEM")
        }
        return Certificate(
            chain: try chain.file(checks: checks), privateKey: try privateKey.file(checks: checks, isSecret: true))
    }

    /// A quoted-string without anything to escape (RFC 7235 section 2.2).
    func realm() throws(ConfigurationError) -> String {
        let text = try text()
        guard (1...255).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x20...0x7e).contains($0) && $0 != 0x22 && $0 != 0x5c })
        else { throw error("'\(text)' cannot be a realm; use 1 to 255 ASCII characters without '\"' and '\\'") }
        return text
    }

    /// A range of UDP ports for media: two even and odd pairs at least.
    func udpPorts(example: ClosedRange<UInt16>) throws(ConfigurationError) -> ClosedRange<UInt16> {
        let text = try text()
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first >= 1024, last >= first,
            last - first >= 4
        else {
            throw error(
                "'\(text)' is no range of five or more UDP ports above 1023; write "
                    + "\(example.lowerBound)-\(example.upperBound)")
        }
        return first...last
    }

    /// A list of networks, each once.
    func networks() throws(ConfigurationError) -> [IPNetwork] {
        let setting = key.split(separator: ".").last.map(String.init) ?? key
        var networks: [IPNetwork] = []
        for element in try elements() {
            let network = try element.parse { text throws(SpecificationError) in
                try IPNetwork(parsing: text, setting: setting)
            }
            guard !networks.contains(network) else { throw element.error("'\(network)' stands twice; keep one") }
            networks.append(network)
        }
        return networks
    }
}

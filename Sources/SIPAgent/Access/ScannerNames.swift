// Programs that look for SIP servers to abuse.

/// The names by which scanners identify themselves in User-Agent. A scanner that hides its name is caught by its behaviour.
enum ScannerNames {
    private static let names = [
        "friendly-scanner", "friendly-request", "sipvicious", "sip-scan", "sipcli", "sundayddr", "pplsip",
        "vaxsipuseragent",
        "iwar", "sipv", "smap", "eyebeam-scan", "siparmyknife", "svmap", "svwar", "svcrack",
    ]

    /// True if `agent` names a scanner.
    static func contains(_ agent: String) -> Bool {
        let agent = agent.lowercased()
        return names.contains { agent.hasPrefix($0) }
    }
}

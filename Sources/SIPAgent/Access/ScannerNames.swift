// Programs that look for SIP servers to abuse.

/// What scanners call themselves in User-Agent. Who hides is caught by what it does.
enum ScannerNames {
    private static let names = [
        "friendly-scanner", "friendly-request", "sipvicious", "sip-scan", "sipcli", "sundayddr", "pplsip",
        "vaxsipuseragent",
        "iwar", "sipv", "smap", "eyebeam-scan", "siparmyknife", "svmap", "svwar", "svcrack",
    ]

    /// Whether `agent` names a scanner.
    static func contains(_ agent: String) -> Bool {
        let agent = agent.lowercased()
        return names.contains { agent.hasPrefix($0) }
    }
}

// Address of a listener of the SIP agent, as text: `5060`, `10.1.0.1:5060`, `5060/udp`.

import RTPWire
public import SIPAgent
import SIPCore

extension SIPConfiguration.Listener {
    /// The listeners that one entry of `listen` means: a UDP and a TCP one, or with `/udp` or `/tcp` only that; nil for anything else.
    static func listeners(_ text: String, usesTLS: Bool) -> [Self]? {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let transports: [SIPTransport]
        switch (usesTLS, parts.count == 2 ? parts[1] : nil) {
        case (true, nil): transports = [.tls]
        case (false, nil): transports = [.udp, .tcp]
        case (false, "udp"): transports = [.udp]
        case (false, "tcp"): transports = [.tcp]
        default: return nil
        }
        if let number = UInt16(parts[0]) {
            guard number != 0 else { return nil }
            return transports.map { Self(transport: $0, transportPort: number) }
        }
        guard let listen = ListenAddress(String(parts[0])), listen.tcpPort != 0 else { return nil }
        return transports.map { Self(address: listen.address, transport: $0, transportPort: listen.tcpPort) }
    }

    /// `5060` for every address, else `10.1.0.1:5060`.
    var placeText: String {
        address.map { ListenAddress(address: $0, tcpPort: transportPort).description } ?? "\(transportPort)"
    }

    /// `5060/udp`, `10.1.0.1:5061/tls`.
    public var text: String { "\(placeText)/\(transport.description.lowercased())" }

    /// True if the kernel lets only one of both listen.
    func overlaps(_ other: Self) -> Bool {
        (transport == .udp) == (other.transport == .udp) && transportPort == other.transportPort
            && (address == nil || other.address == nil || address == other.address)
    }
}

extension [SIPConfiguration.Listener] {
    /// The entries of `listen` that mean these listeners of UDP and TCP: one for both where they are at the same place.
    var listenTexts: [String] {
        var texts: [String] = []
        for listener in self where listener.transport != .tls {
            let isPaired = contains {
                $0.transport != .tls && $0.transport != listener.transport && $0.placeText == listener.placeText
            }
            let text = isPaired ? listener.placeText : listener.text
            if !texts.contains(text) { texts.append(text) }
        }
        return texts
    }

    /// The entries of `tls-listen`.
    var tlsListenTexts: [String] { filter { $0.transport == .tls }.map(\.placeText) }
}

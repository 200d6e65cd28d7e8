// Address of a listener of the proxy, as text: `554`, `10.1.0.1:554`, `[2001:db8::1]:8554`.

import RTPWire
public import RTSPProxy

extension RTSPConfiguration.Listener {
    /// Reads a TCP port, or an address and a TCP port; nil for anything else.
    public init?(_ text: String, usesTLS: Bool) {
        if let tcpPort = UInt16(text) {
            guard tcpPort != 0 else { return nil }
            self.init(tcpPort: tcpPort, usesTLS: usesTLS)
        } else {
            guard let listen = ListenAddress(text), listen.tcpPort != 0 else { return nil }
            self.init(address: listen.address, tcpPort: listen.tcpPort, usesTLS: usesTLS)
        }
    }

    /// `554` for every address, else `10.1.0.1:554`.
    public var text: String {
        address.map { ListenAddress(address: $0, tcpPort: tcpPort).description } ?? "\(tcpPort)"
    }

    /// True if the kernel lets only one of both listen.
    func overlaps(_ other: Self) -> Bool {
        tcpPort == other.tcpPort && (address == nil || other.address == nil || address == other.address)
    }
}

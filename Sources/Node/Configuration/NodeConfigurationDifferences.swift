// What of a changed configuration takes effect at the next start only.

import AFXDP
import Logging
import RTPWire
import RTSPProxy
import Routing

extension NodeConfiguration {
    /// The keys, apart from routes, in which `other` differs.
    func differences(from other: NodeConfiguration) -> [String] {
        var keys: [String] = []
        func compare<Value: Equatable>(_ key: String, _ value: KeyPath<NodeConfiguration, Value>) {
            if self[keyPath: value] != other[keyPath: value] { keys.append(key) }
        }
        compare("node", \.node)
        compare("ports", \.ports)
        compare("control", \.control)
        compare("metrics", \.metrics)
        compare("runtime-directory", \.runtimeDirectory)
        compare("bpffs", \.bpffs)
        compare("limits", \.limits)
        compare("log-level", \.logLevel)
        compare("host-port", \.hostPort)
        compare("afxdp", \.engine)
        switch (rtsp, other.rtsp) {
        case (nil, nil): break
        case (let new?, let old?): keys += new.differences(from: old).map { "rtsp.\($0)" }
        default: keys.append("rtsp")
        }
        return keys
    }
}

extension RTSPConfiguration {
    fileprivate func differences(from other: RTSPConfiguration) -> [String] {
        var keys: [String] = []
        func compare<Value: Equatable>(_ key: String, _ value: (RTSPConfiguration) -> Value) {
            if value(self) != value(other) { keys.append(key) }
        }
        compare("listen") { $0.listeners.filter { !$0.usesTLS } }
        compare("tls-listen") { $0.listeners.filter(\.usesTLS) }
        compare("certificate", \.certificate)
        compare("ca-file", \.authorities)
        compare("users-file", \.usersFile)
        compare("realm", \.realm)
        compare("udp-ports", \.udpPorts)
        compare("multicast", \.multicast)
        compare("session-timeout", \.sessionTimeout)
        compare("linger", \.linger)
        compare("max-connections", \.maximumConnections)
        compare("max-connections-per-address", \.maximumConnectionsPerAddress)
        compare("max-sessions", \.maximumSessions)
        return keys
    }
}

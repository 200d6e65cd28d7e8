// Parts of a changed configuration that take effect at the next start only.

import AFXDP
import Logging
import RTPWire
import RTSPProxy
import Routing
import SIPAgent

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
        compare("keys-directory", \.keysDirectory)
        compare("state-directory", \.stateDirectory)
        compare("afxdp", \.engine)
        switch (rtsp, other.rtsp) {
        case (nil, nil): break
        case (let new?, let old?): keys += new.differences(from: old).map { "rtsp.\($0)" }
        default: keys.append("rtsp")
        }
        switch (sip, other.sip) {
        case (nil, nil): break
        case (let new?, let old?): keys += new.differences(from: old).map { "sip.\($0)" }
        default: keys.append("sip")
        }
        return keys
    }
}

extension SIPConfiguration {
    /// The changes that only a start can make.
    fileprivate func differences(from other: SIPConfiguration) -> [String] {
        var keys: [String] = []
        func compare<Value: Equatable>(_ key: String, _ value: (SIPConfiguration) -> Value) {
            if value(self) != value(other) { keys.append(key) }
        }
        compare("listen") { $0.listeners.listenTexts }
        compare("tls-listen") { $0.listeners.tlsListenTexts }
        compare("certificate", \.certificate)
        compare("ca-file", \.authorities)
        compare("names", \.names)
        compare("realm", \.realm)
        compare("udp-ports", \.udpPorts)
        return keys
    }

    /// This configuration with what only a start can change from `running`: what the agent goes by after a reload.
    func reloaded(over running: SIPConfiguration) -> SIPConfiguration {
        var copy = self
        copy.listeners = running.listeners
        copy.certificate = running.certificate
        copy.authorities = running.authorities
        copy.names = running.names
        copy.realm = running.realm
        copy.udpPorts = running.udpPorts
        return copy
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
        for limit in RTSPConfiguration.limits { compare(limit.key) { $0[keyPath: limit.path] } }
        compare("trusted-networks", \.trustedNetworks)
        return keys
    }
}

// `crosspoint unload`: the end of forwarding.

import ArgumentParser
import FastPath
import FoundationEssentials
import Glibc
import Netlink
import Node
import Routing

/// Detaches the fast path and forgets everything about it.
struct UnloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unload", abstract: "Stop forwarding and remove the fast path from this node.",
        discussion: """
            Detaches the programs from all ports, removes what is pinned in bpffs and the host port, closes the held sockets (the node leaves \
            its multicast groups and frees its UDP ports), and forgets the routes that were added at run time. The \
            configuration file is not touched. Refused while the daemon runs.

            Needed before other 'limits' can take effect. Another version takes the fast path over without it.

            EXAMPLES
              crosspoint unload
              crosspoint unload --config ./crosspoint.yaml

            \(ExitStatus.help)
            """)

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The configuration file. (default: \(NodeConfiguration.defaultPath) if it is there)", valueName: "file"))
    var config: String?

    func run() throws {
        let (configuration, _) = try ConfigurationChoice.load(config)
        guard geteuid() == 0 || access("\(configuration.bpffs)/links", W_OK) == 0 || errno == ENOENT else {
            throw NodeError(.failed, "\(configuration.bpffs): no permission to remove pins; run as root")
        }
        let lock = try InstanceLock(directory: configuration.runtimeDirectory)
        let hasPins = access(configuration.bpffs, F_OK) == 0
        let pins = hasPins ? try InstanceLock.pins(configuration.bpffs) : nil
        PinDirectory(path: configuration.bpffs).removeAll()
        for journal in ["routes", "rtsp", "sip"] {
            try? FileManager.default.removeItem(atPath: "\(configuration.runtimeDirectory)/\(journal)")
        }
        let hostPort = configuration.hostPort
        try NetlinkHostNetwork().removePair(near: hostPort.hostEnd, far: hostPort.fastPathEnd)
        let holder = HolderDescriptorStore(
            socketPath: "\(configuration.runtimeDirectory)/holder.socket", executable: "")
        try holder.discard()
        withExtendedLifetime((lock, pins)) {}
        print("forwarding has ended, \(configuration.bpffs) is empty")
    }
}

// The daemon's parts over the fast path of this host.

import AFXDP
import Events
import FastPath
import FoundationEssentials
import Glibc
import Logging
import Netlink
import Node
import RTSPProxy
import Routing
import SIPAgent
import ServiceLifecycle

/// Loads or adopts the fast path, and makes the daemon's parts on it.
enum FastPathAssembly {
    /// The parts for `configuration`. Called when the node is locked for this daemon; throws when this host cannot carry
    /// routes. What an earlier daemon left is taken over, and has gone on forwarding meanwhile.
    static func make(
        configuration: NodeConfiguration, logger: Logger
    ) async throws(NodeError) -> NodeAssembly {
        raiseLimits()
        let events = EventLog()
        let controller: FlowController
        let reader: PinnedReader
        let scanner: PortScanner
        let network: NetlinkHostNetwork
        do {
            network = try NetlinkHostNetwork()
            let fastPath = try FastPath(
                pins: PinDirectory(path: configuration.bpffs), name: configuration.node,
                limits: FastPath.Limits(flows: configuration.limits.flows, legs: configuration.limits.legs))
            log(fastPath, logger)
            try FastPathLink(besideSocket: configuration.control.socket).point(to: configuration.bpffs)
            reader = PinnedReader(fastPath.statistics())
            scanner = PortScanner(sampler: try fastPath.portSampler())
            let store = DescriptorStoreChoice.store(
                environment: ProcessInfo.processInfo.environment, runtimeDirectory: configuration.runtimeDirectory,
                executable: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            controller = try FlowController(
                fastPath: fastPath, network: network, store: store,
                journal: RouteJournal(directory: "\(configuration.runtimeDirectory)/routes"), logger: logger,
                keys: configuration.keyPaths, hostPort: configuration.hostPort, engine: configuration.engine,
                events: events)
        } catch let error as FastPathError {
            throw NodeError(error.kind == .privileges ? .notPermitted : .failed, error.message)
        } catch {
            throw NodeError(.failed, "\(error)")
        }
        for problem in await controller.attachConfiguredPorts(configuration.ports) { logger.error("\(problem)") }
        await controller.adopt()
        var services: [any Service] = [ControllerService(controller: controller)]
        // Routes that an agent of an earlier configuration left have nobody any more; one that runs looks after its own.
        if configuration.rtsp == nil { _ = await controller.removeSessionRoutes(of: "rtsp.", except: []) }
        if configuration.sip == nil { _ = await controller.removeSessionRoutes(of: "sip.", except: []) }
        var assembly = NodeAssembly(
            control: controller, statistics: reader, information: HostPorts(network: network), events: events,
            scanner: scanner)
        do {
            if let rtsp = configuration.rtsp {
                let proxy = try await RTSPProxy(
                    configuration: rtsp, routing: controller, runtimeDirectory: configuration.runtimeDirectory,
                    logger: logger)
                services.append(proxy)
                assembly.sessions.append(proxy)
                assembly.rtspRoutes = proxy
            }
            if let sip = configuration.sip {
                if let shortage = sip.limits.shortage(flows: configuration.limits.flows) {
                    logger.warning("\(shortage)")
                }
                let agent = try await SIPAgent(
                    configuration: sip, routing: controller, runtimeDirectory: configuration.runtimeDirectory,
                    logger: logger)
                services.append(agent)
                assembly.sessions.append(agent)
                assembly.sip = agent
            }
        } catch {
            throw NodeError(.failed, "\(error)")
        }
        assembly.services = services
        return assembly
    }

    private static func log(_ fastPath: FastPath, _ logger: Logger) {
        switch fastPath.origin {
        case .created: logger.info("fast path \(fastPath.programVersion) loaded")
        case .adopted: logger.info("fast path \(fastPath.programVersion) taken over, it went on forwarding")
        case .upgraded(let version):
            logger.info("fast path \(version) replaced by \(fastPath.programVersion) while it went on forwarding")
        case .carriedOver(let layout, let version):
            logger.info(
                "fast path \(version) with tables of layout \(layout) replaced by \(fastPath.programVersion) with tables of its own while it went on forwarding"
            )
        }
    }

    /// One socket per membership and reservation: the default of 1,024 descriptors is soon too few.
    private static func raiseLimits() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

/// Runs the controller as long as the daemon runs.
private struct ControllerService: Service {
    let controller: FlowController

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await controller.run() }
    }
}

// `crosspoint check`.

import ArgumentParser
import Node

/// Checks configuration and host.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the configuration, and say what this node's interfaces and kernel can do.",
        discussion: """
            Needs no daemon and changes nothing. Exits with 1 if the configuration has an error, or names an interface that \
            cannot be used; each problem comes with its remedy. Of the kernel it tells whether Crosspoint \
            is tested on it. Of each interface it tells

              XDP           native, as a port needs it, or how a program is attached
              REDIRECT      whether one redirected frame really left through it
              ZERO-COPY     whether its driver has AF_XDP without copying; routes
                            do without
              VLAN OFFLOAD  whether its driver takes VLAN tags out of frames
                            before XDP sees them

            The frame is small, has the EtherType 0x88b5 and goes from the interface's own address to itself, so that no host \
            takes it. It is sent through every interface that is up, which needs the daemon's privileges.

            Of the RTSP proxy and the SIP agent, if the configuration has sections 'rtsp' and 'sip', it tells whether their ports are free (or in use by the \
            daemon, or need CAP_NET_BIND_SERVICE, which the systemd unit gives), until when the certificate is valid, and which \
            file cannot be used. Run it as the daemon's user for that: who may not read a private key is told so.

            EXAMPLES
              crosspoint check
              crosspoint check --attach
              crosspoint check --config ./crosspoint.yaml --json
            """)

    @OptionGroup var output: OutputOptions

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The configuration file. (default: \(NodeConfiguration.defaultPath) if it is there)", valueName: "file"))
    var config: String?

    @Flag(
        name: .long,
        help: "Where an interface sends redirected frames only with an XDP program on it, attach one for a moment.")
    var attach = false

    func run() async throws {
        let (configuration, file) = try ConfigurationChoice.load(config)
        let ports = try HostInformation.ports(RedirectCheck(attaches: attach))
        let isRunning = (try? await ControlClient(socket: configuration.control.socket).send(.get, "/v1/node")) != nil
        let report = CheckReport(
            configuration: configuration, file: file, kernel: HostInformation.kernel, ports: ports, isRunning: isRunning
        )
        try output.print(report) { report.text(colour: StandardStream.output.wantsColour) }
        if let problem = report.problems.first {
            let more = report.problems.count - 1
            throw CommandError(problem + (more > 0 ? " (and \(more) more)" : ""))
        }
    }
}

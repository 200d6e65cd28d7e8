// The root of the command line: nouns and verbs.

import ArgumentParser
import Node

/// `crosspoint`.
struct CrosspointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crosspoint",
        abstract: "Route RTP flows through this node.",
        discussion: """
            A route takes one flow of packets that arrives at a port (a network interface) and sends a copy to each of its \
            legs. Packets are forwarded in the kernel; this program configures that and reads its counters.

            An endpoint is written ADDRESS:UDPPORT@INTERFACE[.VLAN[.VLAN]][,KEY=VALUE...], an IPv6 address in brackets. \
            'crosspoint help route add' lists the keys.

            EXAMPLES
              crosspoint run --config /etc/crosspoint/crosspoint.yaml
              crosspoint route add cam1 --from 239.1.1.10:5004@eth0 --to 10.2.0.5:5004@eth1
              crosspoint leg add cam1 239.9.9.1:5004@eth1,ttl=16,dscp=AF41
              crosspoint route take cam1 --from 239.1.1.11:5004@eth0
              crosspoint rtsp route add cam2 --path /cam2 --upstream rtsp://10.1.0.8/main
              crosspoint link send cam1 --to 198.51.100.2:5004@wan0 --key wan
              crosspoint session list
              crosspoint stats --watch
              crosspoint why cam1
              crosspoint scan eth0
              crosspoint config save
              crosspoint bench 2110-20-1080p59.94

            ENVIRONMENT
              CROSSPOINT_SOCKET  the control socket, where --socket does not name it
              CROSSPOINT_BPFFS   the fast path's directory, where --bpffs does not name it
              NO_COLOR           no colour, even on a terminal

            \(ExitStatus.help)
            """,
        version: VersionText.text,
        subcommands: [
            RunCommand.self, CheckCommand.self, RouteCommand.self, LegCommand.self, LinkCommand.self, RTSPCommand.self,
            SIPCommand.self,
            SessionCommand.self, UserCommand.self, KeyCommand.self, StatsCommand.self, WhyCommand.self,
            ScanCommand.self, EventsCommand.self,
            ConfigCommand.self, BenchCommand.self, UnloadCommand.self, HoldCommand.self,
        ])
}

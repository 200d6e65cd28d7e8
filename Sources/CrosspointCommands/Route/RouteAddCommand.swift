// `crosspoint route add`.

import ArgumentParser
import Routing

/// Adds a route.
struct RouteAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a route.",
        discussion: """
            The route is in the fast path when the command returns. A leg whose next hop does not answer yet is shown as \
            unresolved, and starts by itself when it does. A route without --to receives and accounts, and forwards nothing.

            \(EndpointHelp.source)

            \(EndpointHelp.leg)

            EXAMPLES
              crosspoint route add cam1 --from 239.1.1.10:5004@eth0,source=10.1.0.7 --to 10.2.0.5:5004@eth1
              crosspoint route add cam1 --from 239.1.1.10:5004@eth0 --rate 2.66Gb/s --accounting sampled \\
                --to 239.9.9.1:5004@eth1,ttl=16,dscp=AF41 --to '[2001:db8::5]:5004@eth2'
              crosspoint route add timecode --from 239.1.1.90:6000@eth0.100 --payload raw --to 10.2.0.9:6000@eth1
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The route's name: letters, digits, '-', '_', '.'; at most 63.")
    var name: String

    @Option(name: .long, help: ArgumentHelp("Where the packets come from.", valueName: "from"))
    var from: String

    @Option(name: .long, help: ArgumentHelp("Where a copy goes; up to 512 times.", valueName: "to"))
    var to: [String] = []

    @Option(
        name: .long, help: "What the packets are taken for: rtp (with RTCP on the same UDP port), rtcp, or raw UDP.")
    var payload = "rtp"

    @Option(
        name: .long,
        help: "How much is accounted: full, sampled (jitter from every 8th packet, for video), or counters only.")
    var accounting = "full"

    @Option(name: .long, help: ArgumentHelp("The RTP clock rate. (default: recognised)", valueName: "hz"))
    var clock: UInt32?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The flow's rate on the wire, as 2.66Gb/s: a leg that its port has no room for is refused.",
            valueName: "rate"))
    var rate: String?

    @Option(
        name: .long,
        help:
            "Who sends the packets on: auto, kernel (XDP programs) or afxdp (AF_XDP workers; the kernel while none answers)."
    )
    var engine = "auto"

    @Flag(
        name: .long, help: "Add it even if a port has no room for it, or another route sends to one of its receivers.")
    var force = false

    func run() async throws {
        let route = try specification()
        let report: RouteReport = try await control.client.send(.post, "/v1/routes", body: route)
        try output.print(report) { RouteText.summary(report, verb: "added") }
    }

    /// The route that the arguments ask for.
    func specification() throws -> RouteSpecification {
        let legs = try to.map { text in try LegSpecification(text) }
        let route = RouteSpecification(
            name: name, source: try SourceSpecification(from), legs: legs,
            payload: try RouteSpecification.Payload(payload, setting: "payload"),
            accounting: try RouteSpecification.Accounting(accounting, setting: "accounting"), clockRate: clock,
            wireRate: try rate.map { text in try BitRate(text).bitsPerSecond }, isForced: force,
            engine: try RouteSpecification.Engine(engine, setting: "engine"))
        try route.validate()
        return route
    }
}

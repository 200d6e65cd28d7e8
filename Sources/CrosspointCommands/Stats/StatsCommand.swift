// `crosspoint stats`.

import ArgumentParser
import FastPath
import Node
import Routing

/// Shows the statistics.
struct StatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Show what every flow, leg and port has counted, and its rates.",
        discussion: """
            One row per flow, one below it per leg, then the sessions if the daemon answers, then the ports with what they dropped, by \
            reason. Counters run since the route was added. Rates are taken from two readings: 250 ms apart, or one interval apart with --watch.
            The daemon looks at every flow once a second. A state that is worse holds at once, a better one after 3 s:

              ok                packets arrive, none missing in the last 10 s
              intruder dropped  the same, and another sender's packets are dropped
              loss              packets were missing in the last 10 s
              two senders       more than one source sends to the flow
              not rtp           packets arrive that are not RTP
              no worker         the flow needs an AF_XDP worker, and none is there
              no signal         nothing arrives

            A leg is ok, or refused, not sent, or on a port that has no link. Counters are read from the fast path itself, which \
            needs no daemon but the right to read it. Without that, and with --socket, the daemon is asked. Where no daemon answers, \
            the first line says so, and states are judged by the two readings alone.

            LOST counts packets expected less packets received, and is negative after more duplicates than losses (RFC 3550). \
            JITTER is that of RFC 3550 section 6.4.1. AGE is the time since the last packet.

            EXAMPLES
              crosspoint stats
              crosspoint stats --watch 2 cam1
              crosspoint stats --json | jq '.flows[] | {route, lost: .rtp.lostPackets}'
              crosspoint stats --prometheus
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Read the fast path that is pinned in this directory. (default: $CROSSPOINT_BPFFS, or "
                + "\(NodeConfiguration.defaultBPFFS))", valueName: "directory"))
    var bpffs: String?

    @Flag(name: .long, help: "All columns, also on a terminal that is too narrow for them.")
    var wide = false

    @Flag(name: .long, help: "Print Prometheus text, the same as /metrics.")
    var prometheus = false

    @Option(
        name: .long, defaultAsFlag: "1", parsing: .next,
        help: ArgumentHelp("Show it again every so many seconds, until interrupted.", valueName: "seconds"))
    var watch: String?

    @Argument(help: "Only this route.", completion: .routeName)
    var route: String?

    func run() async throws {
        let (interval, route) = try choice()
        let source = try await StatisticsOrigin.open(directory: bpffs, control)
        let sessions = StatisticsOrigin.sessions(directory: bpffs, control)
        if prometheus {
            try await printPrometheus(source, sessions, route: route)
        } else if let interval {
            try await StatisticsWatch(
                source: source, sessions: sessions, route: route, interval: interval, json: output.json,
                isWide: isWide
            ).run()
        } else {
            try await printOnce(source, sessions, route: route)
        }
    }

    /// The interval of `--watch`, whose value may be left out, and the route.
    private func choice() throws -> (interval: Double?, route: String?) {
        guard let watch else { return (nil, try checked(route)) }
        if let interval = Double(watch) {
            guard interval >= 0.1, interval <= 86_400 else {
                throw CommandError.usage("--watch \(watch): an interval is 0.1 to 86400 seconds")
            }
            return (interval, try checked(route))
        }
        guard route == nil else { throw CommandError.usage("--watch '\(watch)' is not a number of seconds") }
        return (1, try checked(watch))
    }

    private func checked(_ route: String?) throws -> String? {
        if let route { try RouteSpecification.validate(name: route) }
        return route
    }

    private func printPrometheus(
        _ source: any StatisticsSource, _ sessions: DaemonSessions, route: String?
    ) async throws {
        guard watch == nil, !output.json else {
            throw CommandError.usage("--prometheus prints one reading; leave out --watch and --json")
        }
        var snapshot = try await source.snapshot()
        if let route {
            snapshot.flows.removeAll { $0.route != route }
            guard !snapshot.flows.isEmpty else { throw CommandError.unknown(route: route) }
        }
        // Of one route, its flows and legs: the sessions' counters are the node's.
        let statistics = route == nil ? await sessions.read() : nil
        StandardStream.output.write(PrometheusText.text(of: snapshot, sessions: statistics))
    }

    private func printOnce(
        _ source: any StatisticsSource, _ sessions: DaemonSessions, route: String?
    ) async throws {
        let first = try await source.snapshot()
        try await Task.sleep(for: .milliseconds(250))
        var measured = MeasuredStatistics(
            from: first, to: try await source.snapshot(), sessions: await sessions.read(),
            states: await sessions.states())
        if let route {
            measured = measured.only(route: route)
            guard !measured.snapshot.flows.isEmpty else { throw CommandError.unknown(route: route) }
        }
        try output.print(measured) {
            StatisticsText(
                measured, isWide: isWide, heartbeat: sessions.heartbeat, colour: StandardStream.output.wantsColour
            ).text
        }
    }

    /// True where the long rows were asked for, or nothing cuts them.
    private var isWide: Bool { wide || StandardStream.output.width.map { $0 >= 140 } ?? true }
}

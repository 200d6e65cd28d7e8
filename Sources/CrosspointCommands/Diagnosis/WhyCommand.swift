// `crosspoint why`.

import ArgumentParser
import Diagnosis
import FastPath
import FoundationEssentials
import Node
import Routing
import Timing

/// Says why a route does not do what it should.
struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Say why a route does not do what it should: one cause, one remedy.",
        discussion: """
            Walks along the chain: daemon, route, port, membership, querier, the packets at the port by VLAN, UDP port, sender, TTL, \
            fragments and payload, source filter, rate, engine, key, loss, and each leg. The packets are looked at by a short scan of \
            the route's port, as 'crosspoint scan' makes it; where none of the route's arrive, the other ports are looked at too. The \
            first fault in the order of the packets is the cause.

            A querier of IGMP or MLD is known by its queries alone, which come every 125 s: --seconds 130 makes sure.

            EXAMPLES
              crosspoint why cam1
              crosspoint why cam1 --seconds 130
              crosspoint why cam1 --json | jq -r .cause

            EXIT CODES
              0   the route is healthy as far as this node can see
              1   a fault was found, or the command failed
              64  wrong arguments
              77  a privilege is missing
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How long to look at the packets, 0.1 to \(Int(PortScanner.longest)) seconds.", valueName: "seconds"))
    var seconds: Double = 2

    @Argument(help: "The route's name.", completion: .routeName)
    var route: String

    func run() async throws {
        try RouteSpecification.validate(name: route)
        try PortScans.check(seconds: seconds)
        let diagnosis = RouteJudge.diagnosis(try await FactFinder(control: control, seconds: seconds).facts(of: route))
        try output.print(diagnosis) { WhyText.text(diagnosis, colour: StandardStream.output.wantsColour) }
        if !diagnosis.isHealthy { throw ExitCode(ExitStatus.failed) }
    }
}

/// Gathers the facts about a route from the daemon, and without one from the fast path.
struct FactFinder {
    let control: ControlOptions
    let seconds: Double

    func facts(of name: String) async throws -> RouteFacts {
        var facts = RouteFacts(name: name)
        do {
            let routes: [RouteReport] = try await control.client.send(.get, "/v1/routes")
            facts.routes = routes.map(\.specification.name)
            facts.route = routes.first { $0.specification.name == name }
        } catch let error as CommandError where error.exitStatus == ExitStatus.unreachable {
            return try await withoutDaemon(facts)
        }
        guard let route = facts.route else { return facts }
        facts.interfaces = try await control.client.send(.get, "/v1/ports")
        guard route.standing == .live else { return facts }
        let source = route.specification.source
        facts.before = try await control.client.send(.get, "/v1/statistics")
        do { facts.scan = try await scan(source.port.interface, seconds: seconds) } catch let error as CommandError {
            facts.scanProblem = error.message
            // The counters need a while, too.
            try await Task.sleep(for: .seconds(min(seconds, 2)))
        }
        let after: StatisticsSnapshot = try await control.client.send(.get, "/v1/statistics")
        facts.after = after
        if let route: RouteReport = try? await control.client.send(.get, "/v1/routes/\(name)") { facts.route = route }
        let states: [FlowReport] = (try? await control.client.send(.get, "/v1/states")) ?? []
        facts.state = states.first { $0.route == name && $0.from == source.description }
        let isSeen = facts.scan?.flows.contains { $0.destination == "\(source.address)" } == true
        if !facts.isMoving, !isSeen {
            for port in after.ports where port.name != source.port.interface && port.interfaceIndex != 0 {
                if let scan = try? await scan(port.name, seconds: 1) { facts.otherScans.append(scan) }
            }
        }
        return facts
    }

    /// A scan, once no other port is being scanned.
    private func scan(_ port: String, seconds: Double) async throws -> ScanReport {
        let scans = PortScans(client: control.client)
        for _ in 0..<10 {
            do { return try await scans.scan(port, seconds: seconds) } catch let error as CommandError
                where error.message.contains("is being scanned")
            {
                try await Task.sleep(for: .seconds(1))
            }
        }
        return try await scans.scan(port, seconds: seconds)
    }

    /// The counters of the fast path, which goes on without a daemon.
    private func withoutDaemon(_ known: RouteFacts) async throws -> RouteFacts {
        var facts = known
        let last = Heartbeat(besideSocket: control.path).last
        facts.daemon = .dead(
            secondsAgo: last.map { SystemClock.unixNanoseconds.subtractingSaturating($0) / 1_000_000_000 })
        guard let reader = try? await StatisticsOrigin.open(directory: nil, control) else { return facts }
        facts.before = try? await reader.snapshot()
        try await Task.sleep(for: .milliseconds(500))
        facts.after = try? await reader.snapshot()
        return facts
    }
}

/// Writes a diagnosis for a person.
enum WhyText {
    static func text(_ diagnosis: Diagnosis, colour: Bool) -> String {
        var table = Table([.left("LINK"), .left("VERDICT"), .left("FOUND")])
        for finding in diagnosis.findings {
            let verdict: Table.Cell =
                switch finding.verdict {
                case .right: .init("ok", .good)
                case .note: .init("note", .warning)
                case .fault: .init("fault", .bad)
                }
            table.add([.init(finding.link.rawValue), verdict, .init(finding.text)])
        }
        var text = table.text(colour: colour) + "\n" + VisibleText.line(diagnosis.conclusion) + "\n"
        if let remedy = diagnosis.remedy { text += "Remedy: " + VisibleText.line(remedy) + "\n" }
        return text
    }
}

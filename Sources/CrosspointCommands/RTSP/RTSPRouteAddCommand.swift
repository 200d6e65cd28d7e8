// `crosspoint rtsp route add`.

import ArgumentParser
import RTSPProxy
import Routing

/// Adds a route of the proxy.
struct RTSPRouteAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Let players see a path, from an upstream or from a publisher.",
        discussion: #"""
            Give one of --path, --prefix and --regex, and one of --upstream and --publish.

            --prefix adds what follows it in the request to the upstream's path. In the upstream of --regex, $1, $2, ... stand for \#
            the groups of the expression, which must match the whole path.

            URL is rtsp://[USER@]HOST[:TCPPORT][/PATH], or rtsps:// for TLS. A password does not stand in it: arguments are seen \#
            by every process of the host. Where URL names a user, the password is asked for at the terminal, or read from \#
            standard input with --password-stdin. No output shows it.

            TRANSPORT is how media comes from the upstream:
              auto       UDP, then interleaved TCP if UDP is refused or nothing arrives
              udp        UDP only
              multicast  the groups that the upstream names
              tcp        interleaved in the RTSP connection

            EXAMPLES
              crosspoint rtsp route add cam1 --path /studio1/cam1 --upstream rtsp://10.1.0.7/main
              crosspoint rtsp route add cam2 --path /cam2 --upstream rtsps://viewer@cam2.example.com/live --transport tcp
              crosspoint rtsp route add gallery --regex '/gallery/(\d+)' --upstream 'rtsp://10.1.0.$1/main'
              crosspoint rtsp route add b --prefix /b --upstream rtsp://node-b.example.com --allow 10.2.0.0/16
              crosspoint rtsp route add pgm --path /pgm --publish --publish-users encoder --read any-user
            """#)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "The route's name: letters, digits, '-', '_', '.'; at most 63.")
    var name: String

    @Option(name: .long, help: "Serve this path and no other.")
    var path: String?

    @Option(name: .long, help: ArgumentHelp("Serve this path and everything below it.", valueName: "path"))
    var prefix: String?

    @Option(name: .long, help: ArgumentHelp("Serve the paths that this expression matches.", valueName: "regex"))
    var regex: String?

    @Option(name: .long, help: ArgumentHelp("Where the streams come from.", valueName: "url"))
    var upstream: String?

    @Flag(name: .long, help: "Serve whatever is published there, by ANNOUNCE and RECORD.")
    var publish = false

    @Option(name: .long, help: "How media comes from the upstream: auto, udp, multicast, tcp. (default: auto)")
    var transport: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The SHA-256 of the certificate of an upstream by rtsps. (default: an authority vouches for it)",
            valueName: "hex"))
    var fingerprint: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Who may play: anyone, any-user, or a user's name, once for each. (default: anyone)", valueName: "user"))
    var read: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Who may publish: anyone, any-user, or a user's name, once for each. (default: any-user)",
            valueName: "user"))
    var publishUsers: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A network that players and publishers may come from, once for each. (default: all)", valueName: "network"))
    var allow: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A network that a player may have its packets sent to beside its own address, once for each. (default: none)",
            valueName: "network"))
    var destination: [String] = []

    @Flag(name: .long, help: "Keep the upstream's session up even while nobody plays.")
    var always = false

    @Flag(
        name: .long,
        help:
            "Send the streams to groups of the node's pool as long as the source is there, for players that only join.")
    var multicast = false

    @Flag(name: .long, help: "Read the upstream's password from the first line of standard input.")
    var passwordStdin = false

    func run() async throws {
        let route = try specification { prompt throws(CommandError) in
            let input = PasswordInput.standard
            guard passwordStdin || input.isTerminal else {
                throw .usage(
                    "\(prompt): there is no terminal to ask at; give the password on standard input, --password-stdin")
            }
            return try input.read(for: prompt, isNew: false)
        }
        let report: RTSPRouteReport = try await control.client.send(.post, "/v1/rtsp/routes", body: route)
        try output.print(report) { "RTSP route \(report.route.name) added: \(RTSPRouteText.summary(report.route))\n" }
    }

    /// The route that the arguments ask for; `password` is asked for one where the upstream has a user.
    func specification(password: (_ prompt: String) throws(CommandError) -> String) throws -> RTSPRoute {
        let matches = [
            try path.map { text in try RTSPRoute.Match(path: text) },
            try prefix.map { text in try RTSPRoute.Match(prefix: text) },
            try regex.map { text in try RTSPRoute.Match(expression: text) },
        ].compactMap(\.self)
        var route = RTSPRoute(
            name: name, match: try RTSPRoute.only(matches, of: name),
            source: try RTSPRoute.source(upstream: upstream, isPublisher: publish, of: name))
        if let transport {
            try route.checkUse(of: .transport)
            route.transport = try RTSPRoute.UpstreamTransport(transport, setting: "transport")
        }
        if let fingerprint {
            try route.checkUse(of: .fingerprint)
            route.fingerprint = try RTSPRoute.fingerprint(fingerprint)
        }
        if always {
            try route.checkUse(of: .onDemand)
            route.isOnDemand = false
        }
        route.sendsMulticast = multicast
        if !read.isEmpty { route.read = try RTSPRoute.Permission(words: read, setting: "read") }
        if !publishUsers.isEmpty {
            try route.checkUse(of: .publishUsers)
            route.publish = try RTSPRoute.Permission(words: publishUsers, setting: "publish-users")
        }
        route.allowedNetworks = try allow.map { text in try RTSPRoute.network(text, setting: "allow") }
        route.allowedDestinations = try destination.map { text in
            try RTSPRoute.network(text, setting: "destination")
        }
        try route.validate()
        return try authenticated(route, password)
    }

    private func authenticated(
        _ route: RTSPRoute, _ password: (String) throws(CommandError) -> String
    ) throws(CommandError) -> RTSPRoute {
        guard case .upstream(let text) = route.source, let user = UpstreamText.user(of: text) else {
            guard !passwordStdin else {
                throw .usage(
                    "--password-stdin: there is no user to whom it belongs; write --upstream rtsp://USER@HOST/PATH")
            }
            return route
        }
        if let given = UpstreamText.password(of: text) {
            guard given.isEmpty else {
                throw .usage(
                    "--upstream \(UpstreamText.masked(text)): every process of this host sees a password in arguments; "
                        + "write rtsp://\(user)@… and give the password at the prompt, or with --password-stdin")
            }
            // A colon and nothing behind it says that there is none.
            guard passwordStdin else { return route }
        }
        var route = route
        route.source = .upstream(UpstreamText.adding(password: try password("password of \(user)"), to: text))
        return route
    }
}

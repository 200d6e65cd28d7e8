// `crosspoint bench`.

import ArgumentParser
import Glibc
import Node
import Qualification
import Routing

/// Qualifies this node.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure how many flows of a format one core of this node carries without loss.",
        discussion: """
            Needs root, no daemon and no other machine, and takes less than a minute. A generator inside the kernel sends flows of the \
            format, each packet at its time and the flows in turn; routes of this program forward them; a sink counts. \
            The number of flows goes up and down until the largest is found with which not one packet is lost or late, twice.

            By default all of it is in a network namespace of its own, on virtual cables (veth), and on one core: of the \
            generator, the node and the sink together. The node's own part is told beside it, from the same traffic without the node. \
            Nothing else on the host is touched, and nothing stays, however the command ends.

            With --engine afxdp one AF_XDP worker forwards, in copy mode on virtual cables. It has CPU 0 for itself, and the \
            generator and the sink share another one.

            With --from and --to it is between two interfaces of this host that a cable connects: traffic leaves by the first, \
            arrives at the second, where the node forwards it, and comes back by the same cable. Both must carry nothing else.

            LATENCY is the time from the generator to the sink at half of the flows found, ADDED what is more than on a virtual \
            cable without the node: the difference of two measurements, "none" where the other one is not below. JITTER is that of \
            RFC 3550 section 6.4.1. The last line is the answer.

            EXAMPLES
              crosspoint bench
              crosspoint bench 2110-30-l24-8ch-1ms --legs 4
              crosspoint bench --engine afxdp
              crosspoint bench --size 1442 --rate 1.5Gb/s
              crosspoint bench 2110-20-2160p50 --flows 8 --duration 10
              crosspoint bench --list-formats
              crosspoint bench --output ./node7 && xdg-open ./node7.svg
              crosspoint bench --from eth2 --to eth3 --confirm

            EXIT CODES
              0   measured; with --flows: carried without loss
              1   could not be measured, or not one flow was carried; with --flows: not carried without loss
              64  wrong arguments
              77  a privilege is missing
            """)

    @OptionGroup var form: OutputOptions

    @Argument(
        help: ArgumentHelp("The format of the flows; --list-formats lists them.", valueName: "format"),
        completion: .benchFormat)
    var format: String?

    @Flag(name: .long, help: "List the formats with their sizes and rates, and do nothing else.")
    var listFormats = false

    @Option(
        name: .long,
        help: ArgumentHelp("Instead of a format: frame length, Ethernet header to payload.", valueName: "bytes"))
    var size: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Instead of a format: rate of one flow on the wire, preamble to inter-frame gap, as 2.66Gb/s.",
            valueName: "rate"))
    var rate: String?

    @Option(name: .long, help: "Only see whether so many flows are carried; no search.")
    var flows: Int?

    @Option(name: .long, help: "Legs of each flow: copies of each packet, 1 to 64.")
    var legs = 1

    @Option(name: .long, help: "What forwards: \(Engine.allCases.map(\.rawValue).joined(separator: ", ")).")
    var engine = Engine.kernel.rawValue

    @Option(name: .long, help: "What the routes account: full, sampled, counters ('crosspoint help route add').")
    var accounting = RouteSpecification.Accounting.full.rawValue

    @Option(name: .long, help: ArgumentHelp("Length of each trial, 0.2 to 20.", valueName: "seconds"))
    var duration = 1.0

    @Option(
        name: .long,
        help: ArgumentHelp("The processor to work on. (default: the last one)", valueName: "number"))
    var cpu: UInt32?

    @Option(
        name: .long,
        help: ArgumentHelp("The interface that sends and counts; needs --to and --confirm.", valueName: "interface"),
        completion: .interfaceName)
    var from: String?

    @Option(
        name: .long, help: ArgumentHelp("The interface on which the node receives and sends.", valueName: "interface"),
        completion: .interfaceName)
    var to: String?

    @Flag(name: .long, help: "Yes, load these interfaces with as much as they take.")
    var confirm = false

    @Option(
        name: .long, help: ArgumentHelp("Write PREFIX.json and PREFIX.svg, a picture.", valueName: "prefix"))
    var output: String?

    /// The flag that the command adds when it starts itself again in namespaces of its own.
    @Flag(name: .customLong(Self.enteredName), help: .private)
    var hasEntered = false
    private static let enteredName = "has-private-namespaces"

    func run() async throws {
        if listFormats {
            try form.print(BenchFormat.all) { BenchFormat.table(colour: StandardStream.output.wantsColour) }
            return
        }
        let settings = try settings()
        guard geteuid() == 0 else {
            throw CommandError(
                "bench: it makes network namespaces and loads BPF programs; run it as root (sudo crosspoint bench)",
                exitStatus: ExitStatus.notPermitted)
        }
        if let output { try BenchFiles(prefix: output).check() }
        if !hasEntered {
            try PrivateNamespaces.restart(
                hasNetwork: settings.interfaces == nil, adding: "--\(Self.enteredName)")
        }
        let display = BenchProgress()
        let report = try await Qualification(settings, progress: display.show).run()
        display.clear()
        try form.print(report) { BenchText.text(of: report, colour: StandardStream.output.wantsColour) }
        if let output { try BenchFiles(prefix: output).write(report) }
        if report.flows == 0 { throw CommandError(report.sentence) }
    }

    /// The settings that were asked for, checked.
    func settings() throws -> Qualification.Settings {
        var settings = Qualification.Settings(format: try chosenFormat(), processor: try processor())
        guard (1...64).contains(legs) else { throw CommandError.usage("--legs \(legs): a flow has 1 to 64 legs here") }
        settings.legs = legs
        guard let engine = Engine(rawValue: engine) else {
            throw CommandError.usage(
                "--engine '\(engine)' is not known; \(Suggestion.remedy(for: engine, in: Engine.allCases.map(\.rawValue)))"
            )
        }
        settings.engine = engine
        if engine.ownProcessor == settings.processor {
            throw CommandError.usage(
                "--engine \(engine.rawValue): the worker has CPU \(settings.processor) for itself; name another one with --cpu, on "
                    + "a machine with two CPUs or more")
        }
        guard let accounting = RouteSpecification.Accounting(rawValue: accounting) else {
            let known = RouteSpecification.Accounting.allCases.map(\.rawValue)
            throw CommandError.usage(
                "--accounting '\(accounting)' is not known; \(Suggestion.remedy(for: accounting, in: known))")
        }
        settings.accounting = accounting
        guard duration >= 0.2, duration <= 20 else {
            throw CommandError.usage("--duration \(duration): a trial is 0.2 to 20 seconds long")
        }
        settings.seconds = duration
        if let flows {
            guard (1...Qualification.maximumFlows).contains(flows) else {
                throw CommandError.usage("--flows \(flows): 1 to \(Qualification.maximumFlows) flows can be tried")
            }
            settings.flows = flows
        }
        settings.interfaces = try chosenInterfaces()
        return settings
    }

    private func chosenFormat() throws -> MediaFormat {
        guard size == nil, rate == nil else {
            guard format == nil else {
                throw CommandError.usage(
                    "--size and --rate describe flows without a format; leave out '\(format ?? "")'")
            }
            guard let size, let rate else { throw CommandError.usage("--size and --rate belong together; give both") }
            guard MediaFormat.frameLengths.contains(size) else {
                let lengths = MediaFormat.frameLengths
                throw CommandError.usage(
                    "--size \(size): frames of \(lengths.lowerBound) to \(lengths.upperBound) bytes can be generated")
            }
            return MediaFormat(frameLength: size, wireRate: try BitRate(rate).bitsPerSecond)
        }
        let name = format ?? "2110-20-1080p59.94"
        if let format = MediaFormat.named(name) { return format }
        let known = MediaFormat.all.map(\.name)
        let nearest = Suggestion.nearest(to: name.lowercased(), in: known).map { "did you mean '\($0)'? " } ?? ""
        throw CommandError.usage(
            "format '\(name)' is not known; \(nearest)'crosspoint bench --list-formats' lists them")
    }

    private func processor() throws -> UInt32 {
        let last = UInt32(max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))) - 1
        guard let cpu else { return last }
        guard cpu <= last else { throw CommandError.usage("--cpu \(cpu): this host has the processors 0 to \(last)") }
        return cpu
    }

    private func chosenInterfaces() throws -> Qualification.Interfaces? {
        guard let from, let to else {
            guard from == nil, to == nil else {
                throw CommandError.usage("--from and --to belong together: two interfaces that a cable connects")
            }
            guard !confirm else {
                throw CommandError.usage("--confirm is for --from and --to; give them, or leave it out")
            }
            return nil
        }
        guard from != to else { throw CommandError.usage("--from \(from) --to \(to): name two interfaces") }
        guard confirm else {
            throw CommandError.usage(
                "--from \(from) --to \(to): both will carry as much as they take, and nothing else should use them; add "
                    + "--confirm if that is right")
        }
        return Qualification.Interfaces(outside: from, inside: to)
    }
}

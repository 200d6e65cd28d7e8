// The program from its arguments to its exit code.

@testable import CrosspointCommands
import ArgumentParser
import Foundation
import Node
import Routing
import Testing

@Suite("Program", .timeLimit(.minutes(1)))
struct ProgramTests {
    @Test("Commands act on the daemon, and exit with 0")
    func commands() async throws {
        try await RunningNode.run { node in
            func run(_ arguments: String...) async -> Int32 {
                await CrosspointProgram.run(arguments + ["--socket", node.socket])
            }
            #expect(
                await run(
                    "route", "add", "cam1", "--from", "239.1.1.10:5004@eth0", "--to", "10.2.0.5:5004@eth1", "--to",
                    "10.2.0.6:5004@eth1", "--rate", "2.66Gb/s", "--accounting", "sampled", "--clock", "90000") == 0)
            let cam1 = try await node.control.route("cam1").specification
            #expect(cam1.legs.count == 2 && cam1.wireRate == 2_660_000_000 && cam1.clockRate == 90_000)
            #expect(cam1.accounting == .sampled)
            #expect(await run("leg", "add", "cam1", "10.2.0.7:5004@eth1,ttl=9") == 0)
            #expect(await run("leg", "remove", "cam1", "1") == 0)
            #expect(await run("leg", "remove", "cam1", "10.2.0.7:5004@eth1") == 0)
            #expect(await run("leg", "set", "cam1", "2", "10.2.0.8:5004@eth1") == 0)
            #expect(await run("leg", "remove", "cam1", "10.9.9.9:5004@eth1") == 1)
            #expect(await run("route", "take", "cam1", "--from", "239.1.1.11:5004@eth0") == 0)
            let legs = try await node.control.route("cam1").specification.legs
            #expect(legs == [try LegSpecification("10.2.0.8:5004@eth1")])
            for arguments in [
                ["route", "list"], ["route", "list", "--json"], ["route", "show", "cam1"], ["stats"],
                ["stats", "--json"],
                ["stats", "--prometheus"], ["config", "save"], ["config", "reload"],
            ] {
                #expect(await CrosspointProgram.run(arguments + ["--socket", node.socket]) == 0, "\(arguments)")
            }
            #expect(try ConfigurationFile.load(node.configurationFile).routes.map(\.name) == ["cam1"])
            #expect(await run("route", "show", "nope") == 1)
            #expect(await run("stats", "nope") == 1)
            #expect(await run("route", "remove", "cam1") == 0)
            #expect(await node.control.routes().isEmpty)
        }
    }

    @Test(
        "Exit codes of what goes wrong before a daemon is asked",
        arguments: [
            (["route", "add", "cam1", "--from", "239.1.1.10:99999@eth0", "--socket", "/nonexistent"], 64),
            (["route", "add", "cam 1", "--from", "239.1.1.10:1@eth0", "--socket", "/nonexistent"], 64),
            (["route", "add", "cam1"], 64), (["rout"], 64),
            (["stats", "--watch", "0", "--socket", "/nonexistent"], 64),
            (["route", "list", "--socket", "/nonexistent/control.sock"], 69), (["config", "check", "/nonexistent"], 1),
            (["--version"], 0), (["help", "route", "add"], 0), (["check", "--config", "/nonexistent"], 1),
            (["run", "--config", "/nonexistent"], 1),
        ] as [([String], Int32)])
    func exitCodes(arguments: [String], code: Int32) async {
        #expect(await CrosspointProgram.run(arguments) == code)
    }

    @Test("A usage error points to the help of its command, on one line")
    func usage() throws {
        let error = try #require(throws: (any Error).self) {
            try CrosspointCommand.parseAsRoot(["route", "add", "cam1"])
        }
        let described = try #require(CommandError(describing: error, command: "route add"))
        #expect(described.message == "Missing expected argument '--from <from>'; see 'crosspoint help route add'")
        #expect(described.exitStatus == 64)
    }

    @Test("An interval of --watch may be left out before a route")
    func watch() throws {
        for (arguments, watch, route) in [
            (["--watch"], "1", nil), (["--watch", "2", "cam1"], "2", "cam1"), (["--watch", "cam1"], "cam1", nil),
            (["cam1", "--watch"], "1", "cam1"), (["cam1"], nil, "cam1"),
        ] as [([String], String?, String?)] {
            let command = try #require(try CrosspointCommand.parseAsRoot(["stats"] + arguments) as? StatsCommand)
            #expect(command.watch == watch && command.route == route)
        }
    }

    @Test("No daemon: the message names the socket and the remedy")
    func noDaemon() async throws {
        let path = "/nonexistent/control.sock"
        let error = try await #require(throws: CommandError.self) {
            try await ControlClient(socket: path).send(.get, "/v1/node")
        }
        #expect(
            error.message
                == "no daemon answers at \(path); start it with 'crosspoint run' or name its socket with --socket")
        #expect(error.exitStatus == 69)
    }

    @Test("A path that no socket can have is an error, not a crash")
    func longPath() async throws {
        let error = try await #require(throws: CommandError.self) {
            try await ControlClient(socket: "/" + String(repeating: "a", count: 200)).send(.get, "/v1/node")
        }
        #expect(error.exitStatus == 69)
    }
}

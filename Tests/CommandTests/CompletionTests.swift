// What the shell is given to complete, and the configuration file that comes with the package.

@testable import CrosspointCommands
import ArgumentParser
import Foundation
import Node
import Routing
import TestSupport
import Testing

@Suite("Completion and the packaged file", .timeLimit(.minutes(1)))
struct CompletionTests {
    /// What the program prints for a completion, as the shells' scripts ask for it.
    private func completions(_ command: [String], _ argument: String, _ words: [String]) async throws -> String {
        do {
            _ = try await CrosspointCommand.asyncParseAsRoot(
                ["---completion"] + command + ["--", argument, "\(words.count - 1)", "0"] + words)
        } catch {
            #expect(CrosspointCommand.exitCode(for: error).isSuccess)
            return CrosspointCommand.fullMessage(for: error)
        }
        Issue.record("a completion was taken for a command")
        return ""
    }

    @Test("The names of routes are those of the daemon that the line names")
    func routes() async throws {
        try await RunningNode.run { node in
            let route = RouteSpecification(
                name: "cam1", source: try SourceSpecification("239.1.1.10:5004@eth0"),
                legs: [try LegSpecification("10.2.0.5:5004@eth1")])
            _ = try await node.control.add(route, owner: .operator)
            let line = ["crosspoint", "route", "show", "--socket", node.socket, "c"]
            #expect(ControlOptions.path(in: line) == node.socket)
            #expect(ControlOptions.path(in: ["crosspoint", "--socket=\(node.socket)"]) == node.socket)
            #expect(try await completions(["route", "show"], "positional@0", line) == "cam1")
        }
    }

    @Test("A daemon that does not answer gives nothing, and no error")
    func nobody() async throws {
        let line = ["crosspoint", "route", "show", "--socket", "/nonexistent", "c"]
        #expect(try await completions(["route", "show"], "positional@0", line) == "")
    }

    @Test("The packaged configuration file is right as it comes, and with everything in it taken in")
    func packagedFile() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "packaging/conf/crosspoint.yaml"), encoding: .utf8)
        let directory = try TemporaryDirectory()
        // "# " begins a remark; a key that is commented out keeps its indentation behind "#".
        let whole = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let isRemark = line.hasPrefix("# ") && !line.hasPrefix("#  ")
            return line.hasPrefix("#") && !isRemark ? line.dropFirst() : line
        }.joined(separator: "\n")
        for (text, routes) in [(text, 0), (whole, 1)] {
            let path = "\(directory.path)/crosspoint.yaml"
            try Data(text.utf8).write(to: URL(filePath: path))
            #expect(try ConfigurationFile.load(path).routes.count == routes)
        }
    }

    @Test("The first line of --version ends with the version")
    func version() {
        #expect(VersionText.text.split(separator: "\n").first == "crosspoint \(Version.current)")
    }
}

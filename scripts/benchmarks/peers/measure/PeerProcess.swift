// A peer's program.

import Foundation
import TestSupport

/// A program that runs until `stop`, or until this object goes.
final class PeerProcess: @unchecked Sendable {
    // Used by one task at a time.
    private let command: Command
    private let name: String

    init(_ arguments: [String]) throws {
        command = try Command(arguments)
        name = arguments.first { !["taskset", "-c"].contains($0) && Int($0) == nil } ?? arguments[0]
    }

    /// Waits until the program has said that it is ready, or for a moment if it says nothing. Throws if it ended.
    func settle(ready: String? = nil, seconds: Int = 10) async throws {
        if let ready {
            try command.waitForOutput(containing: ready, seconds: seconds)
        } else {
            try await Task.sleep(for: .milliseconds(700))
        }
        guard kill(command.processID, 0) == 0, !isZombie else {
            throw PeerFailure(description: "\(name) ended: \(lastLine)")
        }
    }

    private var isZombie: Bool {
        let text = (try? String(contentsOfFile: "/proc/\(command.processID)/stat", encoding: .utf8)) ?? ""
        return text.isEmpty || text.contains(") Z ")
    }

    private var lastLine: String {
        command.outputSoFar().split(separator: "\n").last.map(String.init) ?? "it said nothing"
    }

    func stop() {
        command.signal(SIGTERM)
        for _ in 0..<40 where !isZombie { usleep(50_000) }
        command.signal(SIGKILL)
        _ = try? command.finish(checked: false)
    }
}

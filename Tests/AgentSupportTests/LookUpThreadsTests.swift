// Look-ups that nobody answers.

import AgentSupport
import Glibc
import Testing

@Suite("Threads of look-ups", .timeLimit(.minutes(1))) struct LookUpThreadsTests {
    /// A look-up that blocks for a second.
    private static let slow: @Sendable () throws(ResolverError) -> Int = { () throws(ResolverError) in
        usleep(1_000_000)
        return 1
    }

    @Test("An asker has its share, and others are not held up by what it waits for")
    func share() async throws {
        let threads = LookUpThreads(threads: 4, share: 2)
        let first = (0..<2).map { _ in Task { try await threads.run(for: "a", limit: .seconds(5), Self.slow) } }
        while threads.busyCount < 2 { try await Task.sleep(for: .milliseconds(1)) }
        await #expect(throws: ResolverError.self) {
            try await threads.run(for: "a", limit: .seconds(5)) { () throws(ResolverError) in 2 }
        }
        #expect(try await threads.run(for: "b", limit: .seconds(5)) { () throws(ResolverError) in 3 } == 3)
        for task in first { #expect(try await task.value == 1) }
        #expect(try await threads.run(for: "a", limit: .seconds(5)) { () throws(ResolverError) in 4 } == 4)
    }

    @Test("Nobody waits longer than the limit")
    func limit() async throws {
        let threads = LookUpThreads(threads: 1, share: 1)
        let start = ContinuousClock.now
        await #expect(throws: ResolverError.self) {
            try await threads.run(limit: .milliseconds(50), Self.slow)
        }
        #expect(ContinuousClock.now - start < .milliseconds(900))
        while threads.busyCount > 0 { try await Task.sleep(for: .milliseconds(5)) }
    }
}

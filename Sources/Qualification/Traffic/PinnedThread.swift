// A thread that stays on one processor, for as long as a trial takes.

import CrosspointShim
import Glibc

/// Runs a closure on a thread of its own on a given processor.
public enum PinnedThread {
    private final class Job: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` on processor `cpu`, and returns what it returns, without blocking the caller's thread.
    public static func run<Value: Sendable>(
        cpu: UInt32, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let job = Unmanaged.passRetained(
                Job {
                    guard crosspoint_pin_to_cpu(cpu) == 0 else {
                        continuation.resume(
                            throwing: QualificationError(
                                .usage,
                                "processor \(cpu): this process cannot run there: \(String(cString: strerror(errno)))"))
                        return
                    }
                    continuation.resume(with: Result(catching: body))
                })
            var thread = pthread_t()
            let error = pthread_create(
                &thread, nil,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body()
                    return nil
                }, job.toOpaque())
            guard error == 0 else {
                job.release()
                continuation.resume(
                    throwing: QualificationError(
                        .failed, "a thread cannot be started: \(String(cString: strerror(error)))"))
                return
            }
            pthread_detach(thread)
        }
    }
}

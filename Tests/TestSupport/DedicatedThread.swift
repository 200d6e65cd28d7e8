// Runs a closure on a thread of its own, for what must never happen on the cooperative pool.

import Glibc

/// A fresh pthread for one closure.
public enum DedicatedThread {
    /// Runs `body` on a fresh thread, which ends with it, and waits.
    public static func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) throws -> T {
        let box = Box(body)
        let thread = try start(box)
        pthread_join(thread, nil)
        return try box.finished()
    }

    /// Runs `body` on a fresh thread, which ends with it, without blocking the caller's thread.
    public static func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            do {
                let box = Box<Void> { continuation.resume(with: Result(catching: body)) }
                pthread_detach(try start(box))
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private class Work: @unchecked Sendable {
        func run() {}
    }

    /// Written by the thread, read after it has been joined: that is why it may be unchecked.
    private final class Box<T: Sendable>: Work, @unchecked Sendable {
        private let body: @Sendable () throws -> T
        private var result: Result<T, any Error>?

        init(_ body: @escaping @Sendable () throws -> T) { self.body = body }

        override func run() { result = Result(catching: body) }

        func finished() throws -> T {
            guard let result else { throw SystemFailure("thread without result", error: EAGAIN) }
            return try result.get()
        }
    }

    private static func start(_ work: Work) throws -> pthread_t {
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(work)
        let error = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, retained.toOpaque())
        guard error == 0 else {
            retained.release()
            throw SystemFailure("pthread_create", error: error)
        }
        return thread
    }
}

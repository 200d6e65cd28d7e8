// A thread inside a network namespace that runs closures one after another.

import CrosspointShim
import Glibc

/// Runs closures on one thread of its own, inside a network namespace, while the caller waits.
///
/// So a test can use from its own thread, where expectations know their test, what belongs to the namespace's thread.
public final class NamespaceThread: @unchecked Sendable {
    // Everything below is written under the mutex, or while the other side waits for the condition.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var job: (() -> Void)?
    private var isEnding = false
    private var thread = pthread_t()

    /// Starts the thread in `namespace`.
    public init(in namespace: NetworkNamespace) throws {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        let context = Unmanaged.passUnretained(self).toOpaque()
        let error = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<NamespaceThread>.fromOpaque(argument).takeUnretainedValue().serve()
                return nil
            }, context)
        guard error == 0 else { throw SystemFailure("pthread_create", error: error) }
        let descriptor = open(namespace.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure("open \(namespace.path)") }
        defer { close(descriptor) }
        let result = try run { crosspoint_enter_network_namespace(descriptor) }
        guard result == 0 else { throw SystemFailure("setns \(namespace.path)", error: -result) }
    }

    deinit {
        pthread_mutex_lock(mutex)
        isEnding = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
        pthread_join(thread, nil)
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` on the thread and waits for it.
    public func run<T>(_ body: () throws -> T) throws -> T {
        var result: Result<T, any Error>?
        withoutActuallyEscaping({ result = Result(catching: body) }) { work in
            pthread_mutex_lock(mutex)
            job = work
            pthread_cond_broadcast(condition)
            while job != nil { pthread_cond_wait(condition, mutex) }
            pthread_mutex_unlock(mutex)
        }
        guard let result else { throw SystemFailure("thread without result", error: EAGAIN) }
        return try result.get()
    }

    private func serve() {
        pthread_mutex_lock(mutex)
        while true {
            while job == nil, !isEnding { pthread_cond_wait(condition, mutex) }
            guard let work = job else { break }
            work()
            job = nil
            pthread_cond_broadcast(condition)
        }
        pthread_mutex_unlock(mutex)
    }
}

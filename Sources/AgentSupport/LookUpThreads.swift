// Threads on which name look-ups block.

import NIOCore
import NIOPosix
import Synchronization

/// So many look-ups at once, so many of them for one asker, each waited for a limited time.
///
/// Nothing queues: a name that nobody answers for holds one thread, never another look-up. One that is not waited for any more keeps its
/// thread until the host's resolver gives up.
public final class LookUpThreads: Sendable {
    private struct State {
        var busy = 0
        var ofAsker: [String: Int] = [:]
    }

    private let threadPool: NIOThreadPool
    private let threads: Int
    private let share: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - threads: How many look-ups run at once.
    ///   - share: How many of them for one asker.
    public init(threads: Int, share: Int) {
        self.threads = threads
        self.share = share
        threadPool = NIOThreadPool(numberOfThreads: threads)
        threadPool.start()
    }

    /// The number of look-ups under way.
    public var busyCount: Int { state.withLock { $0.busy } }

    /// Runs a look-up that may block.
    ///
    /// - Parameters:
    ///   - asker: Who shares in the threads; nil for the operator, who may have all.
    ///   - limit: How long its answer is waited for.
    public func run<Value: Sendable>(
        for asker: String? = nil, limit: Duration,
        _ lookUp: @escaping @Sendable () throws(ResolverError) -> Value
    ) async throws(ResolverError) -> Value {
        guard begin(asker) else {
            throw ResolverError("too many names are being looked up; check that this node's DNS answers")
        }
        let answer = Answer<Value>()
        let timer = AgentActor.loop.scheduleTask(in: .nanoseconds(limit.nanosecondsForTimers)) {
            answer.settle(
                .failure(ResolverError("no answer within \(limit.components.seconds) s; check this node's DNS")))
        }
        threadPool.submit { [self] state in
            let result: Result<Value, ResolverError>
            switch state {
            case .active:
                do throws(ResolverError) { result = .success(try lookUp()) } catch { result = .failure(error) }
            default: result = .failure(ResolverError("the resolver does not run"))
            }
            end(asker)
            timer.cancel()
            answer.settle(result)
        }
        return try await answer.value().get()
    }

    private func begin(_ asker: String?) -> Bool {
        state.withLock { state in
            guard state.busy < threads else { return false }
            if let asker {
                guard state.ofAsker[asker, default: 0] < share else { return false }
                state.ofAsker[asker, default: 0] += 1
            }
            state.busy += 1
            return true
        }
    }

    private func end(_ asker: String?) {
        state.withLock { state in
            state.busy -= 1
            guard let asker else { return }
            let rest = state.ofAsker[asker, default: 1] - 1
            state.ofAsker[asker] = rest > 0 ? rest : nil
        }
    }
}

/// The first of two results, for one who waits.
private final class Answer<Value: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Result<Value, ResolverError>, Never>)
        case settled(Result<Value, ResolverError>)
    }

    private let state = Mutex(State.open)

    func settle(_ result: Result<Value, ResolverError>) {
        let waiting = state.withLock { state -> CheckedContinuation<Result<Value, ResolverError>, Never>? in
            switch state {
            case .open: state = .settled(result)
            case .awaited(let continuation):
                state = .settled(result)
                return continuation
            case .settled: break
            }
            return nil
        }
        waiting?.resume(returning: result)
    }

    func value() async -> Result<Value, ResolverError> {
        await withCheckedContinuation { continuation in
            let settled = state.withLock { state -> Result<Value, ResolverError>? in
                if case .settled(let result) = state { return result }
                state = .awaited(continuation)
                return nil
            }
            if let settled { continuation.resume(returning: settled) }
        }
    }
}

extension Duration {
    fileprivate var nanosecondsForTimers: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isTooLong) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflows || isTooLong ? .max : max(sum, 0)
    }
}

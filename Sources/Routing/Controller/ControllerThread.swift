// The thread that the flow controller runs on.

import Dispatch
import Glibc
import Synchronization

/// Runs an actor's jobs on a thread of its own, one after the other.
///
/// The controller's calls wait for the kernel: 8 ms for a new shape or a grace period, which would stop the control
/// API and the metrics on a node of one or two CPUs, whose cooperative pool has as many threads. And interfaces are
/// looked up in the calling thread's network namespace: the thread keeps that of whoever made the controller.
final class ControllerThread: SerialExecutor {
    /// State that the thread and the executor share; it goes with the later of the two.
    private final class Queue: Sendable {
        private struct Entry: Sendable {
            var job: UnownedJob
            var executor: UnownedSerialExecutor
        }

        private let entries = Mutex<(waiting: [Entry], isClosed: Bool)>(([], false))
        private let wakeup = DispatchSemaphore(value: 0)

        func append(_ job: UnownedJob, for executor: UnownedSerialExecutor) {
            entries.withLock { $0.waiting.append(Entry(job: job, executor: executor)) }
            wakeup.signal()
        }

        func close() {
            entries.withLock { $0.isClosed = true }
            wakeup.signal()
        }

        func run() {
            while true {
                wakeup.wait()
                let (batch, isClosed) = entries.withLock { entries in
                    defer { entries.waiting.removeAll(keepingCapacity: true) }
                    return (entries.waiting, entries.isClosed)
                }
                for entry in batch { entry.job.runSynchronously(on: entry.executor) }
                if isClosed { return }
            }
        }
    }

    private let queue = Queue()

    /// Starts the thread, in the network namespace of the calling one.
    init() throws(RoutingError) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(queue)
        let error = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                // Signals are for the threads that ask for them.
                var all = sigset_t()
                sigfillset(&all)
                pthread_sigmask(SIG_BLOCK, &all, nil)
                Unmanaged<Queue>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard error == 0 else {
            context.release()
            throw RoutingError(.failed, "thread of the flow controller: cannot be started: \(SystemError(error))")
        }
        pthread_detach(thread)
    }

    deinit { queue.close() }

    func enqueue(_ job: consuming ExecutorJob) { queue.append(UnownedJob(job), for: asUnownedSerialExecutor()) }
}

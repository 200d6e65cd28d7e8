// A thread that serves AF_XDP sockets.

import CrosspointShim
import Dispatch
import FastPath
import Glibc
import Synchronization

/// Runs a forwarding loop on a thread of its own, kept on one CPU, with all signals blocked.
///
/// The loop belongs to the thread: others change it by `perform`, between two passes.
final class Worker: @unchecked Sendable {
    /// The longest sleep of the thread: its heartbeat must continue.
    private static let longestSleep: CInt = 20
    /// Between two readings of what the kernel counts, ns.
    private static let publication: UInt64 = 250_000_000

    let index: Int
    private let polling: EngineSettings.Polling
    private let loop: UnsafeMutablePointer<ForwardingLoop>
    private let reader = TableReader()
    private let requests = Mutex<[Request]>([])
    private let hasRequests = Atomic<Bool>(false)
    private let isEnding = Atomic<Bool>(false)
    private let wakeup: CInt
    private let pollSet: UnsafeMutablePointer<pollfd>
    private var thread = pthread_t()

    /// Starts the thread, in the network namespace of the calling one.
    init(index: Int, tables: WorkerTables, polling: EngineSettings.Polling) throws(EngineError) {
        self.index = index
        self.polling = polling
        wakeup = crosspoint_eventfd()
        loop = .allocate(capacity: 1)
        loop.initialize(to: ForwardingLoop(tables: tables))
        pollSet = .allocate(capacity: ForwardingLoop.maximumChannels + 1)
        let error = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                // Signals are for the threads that ask for them.
                var all = sigset_t()
                sigfillset(&all)
                pthread_sigmask(SIG_BLOCK, &all, nil)
                Unmanaged<Worker>.fromOpaque(argument).takeUnretainedValue().run()
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
        guard error == 0 else {
            loop.pointee.deallocate()
            loop.deallocate()
            pollSet.deallocate()
            close(wakeup)
            thread = 0
            throw EngineError(
                .kernel, "AF_XDP: a worker's thread cannot be started: \(String(cString: strerror(error)))")
        }
        GracePeriod.add(reader)
    }

    /// Ends the thread. Its sockets have been taken out before.
    func stop() {
        guard thread != 0 else { return }
        isEnding.store(true, ordering: .releasing)
        wake()
        pthread_join(thread, nil)
        thread = 0
        GracePeriod.remove(reader)
        loop.pointee.deallocate()
        loop.deallocate()
        pollSet.deallocate()
        close(wakeup)
    }

    deinit { stop() }

    /// Runs `body` on the thread between two passes, and waits for it.
    func perform<Result>(_ body: @escaping (UnsafeMutablePointer<ForwardingLoop>) -> Result) -> Result {
        let answer = Answer<Result>()
        let done = DispatchSemaphore(value: 0)
        let request = Request { loop in
            answer.value = body(loop)
            done.signal()
        }
        requests.withLock { $0.append(request) }
        hasRequests.store(true, ordering: .releasing)
        wake()
        done.wait()
        guard let value = answer.value else { preconditionFailure("the request has run") }
        return value
    }

    /// Work for the thread: its caller waits, and touches nothing meanwhile.
    private struct Request: @unchecked Sendable {
        let body: (UnsafeMutablePointer<ForwardingLoop>) -> Void
    }

    private final class Answer<Value> {
        var value: Value?
    }

    private func wake() {
        var one: UInt64 = 1
        write(wakeup, &one, 8)
    }

    // MARK: On the thread

    private func run() {
        let processors = max(sysconf(CInt(_SC_NPROCESSORS_ONLN)), 1)
        // Refused where the process is kept on other CPUs: then the kernel chooses among those.
        _ = crosspoint_pin_to_cpu(UInt32(index % processors))
        var published: UInt64 = 0
        while true {
            if hasRequests.load(ordering: .acquiring) { serveRequests() }
            if isEnding.load(ordering: .acquiring) { return }
            let now = crosspoint_monotonic()
            loop.pointee.beat(now)
            reader.begin()
            let received = loop.pointee.pass(now: now)
            reader.end()
            if now &- published > Self.publication {
                loop.pointee.publishKernelCounters()
                published = now
            }
            if received == 0 { idle() }
        }
    }

    private func serveRequests() {
        hasRequests.store(false, ordering: .releasing)
        let waiting = requests.withLock { requests in
            defer { requests.removeAll() }
            return requests
        }
        for request in waiting { request.body(loop) }
    }

    /// Sleeps until a packet or a request comes, or a heartbeat is due.
    private func idle() {
        switch polling {
        case .spin: return loop.pointee.wakeReceivers()
        case .busy: return loop.pointee.pollDrivers()
        case .sleep: break
        }
        pollSet[0] = pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0)
        let (count, isWaiting) = loop.pointee.fill(pollSet + 1)
        // A frame that was sent comes back without a wakeup.
        if poll(pollSet, nfds_t(count + 1), isWaiting ? 1 : Self.longestSleep) > 0, pollSet[0].revents != 0 {
            var value: UInt64 = 0
            read(wakeup, &value, 8)
        }
    }
}

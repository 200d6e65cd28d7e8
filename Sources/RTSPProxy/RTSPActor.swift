// The one event loop on which everything of the proxy runs.

public import NIOCore
public import NIOPosix

/// Isolates the proxy's state to the thread of its event loop: channels, sessions and paths need no locks and no hops, and a
/// handler that NIO calls there is on the actor already (`RTSPActor.assumeIsolated`).
@globalActor
public actor RTSPActor {
    public static let shared = RTSPActor()
    /// The loop's group: every channel of the proxy is made on it.
    public static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private static let executor = group.next().executor

    /// The loop.
    public static var loop: any EventLoop { group.next() }

    public nonisolated var unownedExecutor: UnownedSerialExecutor { Self.executor.asUnownedSerialExecutor() }
}

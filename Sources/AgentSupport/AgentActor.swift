// The one event loop on which everything of the protocol agents runs.

public import NIOCore
public import NIOPosix

/// Isolates the agents' state to the thread of their event loop: channels, sessions and calls need no locks and no hops, and a
/// handler that NIO calls there is on the actor already (`AgentActor.assumeIsolated`).
@globalActor
public actor AgentActor {
    public static let shared = AgentActor()
    /// The loop's group: every channel of the agents is made on it.
    public static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private static let executor = group.next().executor

    /// The loop.
    public static var loop: any EventLoop { group.next() }

    public nonisolated var unownedExecutor: UnownedSerialExecutor { Self.executor.asUnownedSerialExecutor() }
}

extension AgentActor {
    /// Runs `operation` on the actor from code that runs on its loop's thread anyway: a channel handler.
    public static func assumeIsolated<Value>(_ operation: @AgentActor () throws -> Value) rethrows -> Value {
        loop.preconditionInEventLoop()
        // The same as `MainActor.assumeIsolated` does; global actors of one's own do not get it. The check above proves
        // the isolation.
        return try withoutActuallyEscaping(operation) { escaping in
            try unsafeBitCast(escaping, to: (() throws -> Value).self)()
        }
    }
}

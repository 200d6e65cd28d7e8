// Whom the node believes when it connects to others by TLS.

public import NIOPosix
public import NIOSSL

/// The authorities that peers' certificates are checked with.
@AgentActor
public final class Authorities {
    private let file: String?
    private let threadPool: NIOThreadPool
    private var made: NIOSSLContext?

    /// - Parameter file: The authorities in PEM; nil for the system's.
    public init(file: String?, threadPool: NIOThreadPool = .singleton) {
        self.file = file
        self.threadPool = threadPool
    }

    /// The context of connections that the node makes. Made once: reading the authorities takes a while.
    ///
    /// - Throws: That the file cannot be used, and why.
    public func clientContext() async throws(ListenerError) -> NIOSSLContext {
        if let made { return made }
        do {
            let context = try await threadPool.runIfActive { [file] in
                var configuration = TLSConfiguration.makeClientConfiguration()
                if let file { configuration.trustRoots = .file(file) }
                return try NIOSSLContext(configuration: configuration)
            }
            made = context
            return context
        } catch {
            throw ListenerError("ca-file \(file ?? "(the system's)"): cannot be used: \(ErrorText.of(error))")
        }
    }
}

// Where the control API learns what the node's ports are.

/// Something that knows the node's interfaces.
public protocol NodeInformationSource: Sendable {
    /// The interfaces that are attached, and those that could be.
    func ports() async throws -> [PortReport]
}

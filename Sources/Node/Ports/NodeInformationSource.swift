// Source of the control API's information on the node's ports.

/// Something that knows the node's interfaces.
public protocol NodeInformationSource: Sendable {
    /// The interfaces that are attached, and those that could be.
    func ports() async throws -> [PortReport]
}

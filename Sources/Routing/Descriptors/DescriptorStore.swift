// Store in which sockets stay open while the daemon is not running.

/// Keeps copies of descriptors outside this process, so that they outlive it.
///
/// The kernel sends an IGMP leave 9 ms after the last copy of a joined socket is closed, and the switch then cuts the
/// stream. So every joined or reserving socket is stored when it is made, and removed when it is not wanted any more.
public protocol DescriptorStore: Sendable {
    /// The descriptors that an earlier process stored. To be called once, before anything else.
    func recover() throws(RoutingError) -> [String: OwnedDescriptor]

    /// Stores a descriptor; one that has the name already is replaced.
    ///
    /// - Parameter name: up to 200 bytes of printable ASCII, such as the text of a `SocketKey`.
    func store(_ name: String, _ descriptor: OwnedDescriptor) throws(RoutingError)

    /// Closes the stored copy. The descriptor's effect ends when this process closes its own. Nothing if there is none.
    func remove(_ name: String) throws(RoutingError)

    /// Stores descriptors together: all of them, or those that it removes again.
    func store(_ descriptors: [(name: String, descriptor: OwnedDescriptor)]) throws(RoutingError)

    /// Closes the stored copies together.
    func remove(_ names: [String]) throws(RoutingError)

    /// Sees to it that what was stored is still kept, and stores it again where whoever kept it has gone. True if that was so.
    func renew() throws(RoutingError) -> Bool

    /// Says that this process will not come back. What helped to store goes as soon as nothing is stored any more.
    func finish() throws(RoutingError)
}

extension DescriptorStore {
    public func store(_ descriptors: [(name: String, descriptor: OwnedDescriptor)]) throws(RoutingError) {
        for (index, entry) in descriptors.enumerated() {
            do throws(RoutingError) {
                try store(entry.name, entry.descriptor)
            } catch {
                for entry in descriptors[..<index] { try? remove(entry.name) }
                throw error
            }
        }
    }

    public func remove(_ names: [String]) throws(RoutingError) {
        for name in names { try remove(name) }
    }

    public func renew() throws(RoutingError) -> Bool { false }
}

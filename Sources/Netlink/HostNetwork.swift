// Queries and requests of the rest of Crosspoint to the node's network.

public import RTPWire

/// The node's network: interfaces, addresses, routes and neighbours, and changes to them.
///
/// `NetlinkHostNetwork` asks the kernel; tests have one of their own. Calls block for the time of a system call or a
/// few: well under a millisecond each, but longer where the kernel's lock on its network configuration is taken, as
/// while a namespace or a device with many routes is being removed.
public protocol HostNetwork: Sendable {
    /// All interfaces, by ascending index.
    func interfaces() throws(NetlinkError) -> [NetworkInterface]

    /// All addresses of this node.
    func addresses() throws(NetlinkError) -> [InterfaceAddress]

    /// The first hop of packets to `destination` when they leave through the interface.
    ///
    /// A group needs no route: the answer is the group itself.
    ///
    /// - Throws: if no route leads there through the interface, or if the destination is this node or a broadcast.
    func nextHop(to destination: IPAddress, through interfaceIndex: UInt32) throws(NetlinkError) -> NextHop

    /// The route by which packets to `destination` leave, by the routing table alone.
    ///
    /// - Throws: if no route leads there, or if it is a broadcast.
    func route(to destination: IPAddress) throws(NetlinkError) -> HostRoute

    /// Makes a pair of veth interfaces, or makes one that is there already as it is described.
    ///
    /// - Throws: with `EEXIST` if an interface of one of the names is not an end of such a pair.
    func ensurePair(_ pair: VethPair) throws(NetlinkError)

    /// Removes a pair that `ensurePair` made. Returns false if there is none.
    @discardableResult
    func removePair(near: String, far: String) throws(NetlinkError) -> Bool

    /// The kernel's knowledge of a neighbour; nil without an entry.
    func neighbour(_ address: IPAddress, interfaceIndex: UInt32) throws(NetlinkError) -> Neighbour?

    /// Has the kernel resolve a neighbour now and verify it again every 30 seconds, without any traffic to it.
    ///
    /// Returns at once; the outcome comes as an event, and again whenever it changes. The kernel deletes such entries
    /// when their own link goes down or loses carrier, so the caller asks again after `NetworkEvent.linkChanged` and
    /// `.neighbourRemoved`. Asking twice does no harm. A permanent entry is left as it is.
    func keepResolved(_ address: IPAddress, interfaceIndex: UInt32) throws(NetlinkError)

    /// Ends `keepResolved`. The entry stays, as long as it is of use, as any other. Nothing if there is none.
    func release(_ address: IPAddress, interfaceIndex: UInt32) throws(NetlinkError)

    /// Changes from now on. Each call gives a stream of its own, which holds at most some thousands of events that
    /// its consumer has not taken, and says `.overrun` when it had to drop some.
    ///
    /// Call it before reading the present state, so that nothing falls between the two.
    func events() throws(NetlinkError) -> AsyncStream<NetworkEvent>
}

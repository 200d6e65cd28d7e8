// The groups of a pool as a network: `239.20.0.0/24`.

import RTPWire
import RTSPProxy
import Routing

extension MulticastPool {
    /// So many groups are more than a node has streams for.
    static let maximumGroups = 65_536

    /// The first group of `text` and how many there are.
    static func groups(_ text: String) throws(SpecificationError) -> (first: IPAddress, count: Int) {
        func refuse(_ problem: String, _ remedy: String) -> SpecificationError {
            SpecificationError(.setting("groups"), text, problem, remedy: remedy)
        }
        let network = try RTSPRoute.network(text, setting: "groups")
        guard let groups = IPNetwork(network), groups.address.isMulticast else {
            throw refuse("are no multicast groups", "write some such as 239.20.0.0/24")
        }
        guard groups.hostBits <= 16 else {
            throw refuse("are more than \(maximumGroups)", "use a longer prefix, such as 239.20.0.0/24")
        }
        // A group that a leg may not be sent to may not be one of the pool either.
        do {
            try LegSpecification("\(groups.address.bracketed):5004@lo").validate()
        } catch { throw refuse(error.problem, error.remedy) }
        return (groups.address, 1 << groups.hostBits)
    }

    /// The groups as a network.
    var groupsText: String {
        let bits = first.bytes.count * 8 - (Int.bitWidth - 1 - count.leadingZeroBitCount)
        return "\(first)/\(bits)"
    }
}

// Search for the leg that an operator means: by its number, or by its destination.

import RTPWire
import Routing

/// Finds legs of a route.
enum LegFinder {
    /// The number of the leg of `route` that `text` names.
    static func number(of text: String, in route: String, _ client: ControlClient) async throws -> UInt32 {
        if let number = UInt32(text) { return number }
        let wanted = try LegSpecification(text)
        let report: RouteReport = try await client.send(.get, "/v1/routes/\(route)")
        let exact = report.legs.filter { $0.specification == wanted }
        let sameDestination = report.legs.filter { leg in
            leg.specification.address == wanted.address && leg.specification.udpPort == wanted.udpPort
                && leg.specification.port == wanted.port
        }
        let matches = exact.isEmpty ? sameDestination : exact
        guard let match = matches.first else {
            throw CommandError("route \(route) has no leg '\(wanted)'; 'crosspoint route show \(route)' lists its legs")
        }
        guard matches.count == 1 else {
            let numbers = matches.map { "\($0.number)" }.joined(separator: ", ")
            throw CommandError(
                "'\(wanted)' can be any of the legs \(numbers) of route \(route); name one by its number")
        }
        return match.number
    }
}

// Scans over the control API: what arrives at a port now.

import FastPath
import Hummingbird
import Routing

extension ControlRouter {
    func addScanning(to router: Router<ControlContext>) {
        router.get("v1/ports/:name/scan") { request, context in
            let seconds = try scanSeconds(request.uri.queryParameters["seconds"].map(String.init))
            let wanted = try name(context)
            guard let scanner else {
                throw RoutingError(.unavailable, "port \(wanted): this daemon does not scan ports")
            }
            let port = try Self.port(wanted, of: try await statistics.snapshot().ports)
            return try json(
                try await scanner.scan(
                    port: port.name, interfaceIndex: port.interfaceIndex, seconds: seconds,
                    routes: { [control] in await control.routes() }))
        }
    }

    private func scanSeconds(_ text: String?) throws(RoutingError) -> Double {
        guard let text else { return 3 }
        guard let seconds = Double(text), seconds >= 0.1, seconds <= PortScanner.longest else {
            throw RoutingError(
                .invalid, "seconds '\(text)': a scan takes 0.1 to \(Int(PortScanner.longest)) seconds")
        }
        return seconds
    }

    /// The attached port of the given name.
    private static func port(_ name: String, of ports: [PortStatistics]) throws(RoutingError) -> PortStatistics {
        if let port = ports.first(where: { $0.name == name && $0.interfaceIndex != 0 }) { return port }
        guard !ports.contains(where: { $0.name == name }) else {
            throw RoutingError(.unavailable, "port \(name): the interface does not exist now")
        }
        let names = ports.map(\.name).sorted()
        throw RoutingError(
            .notFound,
            "port '\(name)' is not one of this node's; "
                + (names.isEmpty
                    ? "none is attached, name it under 'ports:' in the configuration"
                    : "attached are \(names.joined(separator: ", ")); name others under 'ports:' in the configuration"))
    }
}

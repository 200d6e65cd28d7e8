// Differences between the running state and the configuration file.

import Routing

/// The routes that run otherwise than the file says.
public struct ConfigurationDifference: Hashable, Sendable, Codable {
    /// One route that differs.
    public struct Route: Hashable, Sendable, Codable {
        /// The kind of difference.
        public enum Kind: String, Hashable, Sendable, Codable {
            /// It runs, and the file does not have it.
            case added
            /// The file has it, and it does not run.
            case removed
            /// It runs, and the file has it otherwise.
            case changed
        }

        public var name: String
        public var kind: Kind
        /// The difference in words, or the reason for which it does not run.
        public var text: String
    }

    /// The path of the file.
    public var file: String
    /// The differences, by name.
    public var routes: [Route]
    /// The keys that changed in the file, but take effect when the daemon is started again.
    public var needRestart: [String]

    init(file: String, wanted: [RouteSpecification], running: [RouteReport], needRestart: [String]) {
        self.file = file
        self.needRestart = needRestart
        let reports = Dictionary(running.map { ($0.specification.name, $0) }) { first, _ in first }
        let names = Set(wanted.map(\.name))
        routes = wanted.compactMap { route in
            guard let report = reports[route.name] else {
                return Route(name: route.name, kind: .removed, text: "is in the file, and was removed at run time")
            }
            if report.standing == .refused {
                return Route(name: route.name, kind: .removed, text: "is refused: \(report.problem ?? "")")
            }
            if report.specification.isSame(as: route) { return nil }
            let text = report.specification.difference(from: route)
            return Route(name: route.name, kind: .changed, text: text.isEmpty ? "differs" : text)
        }
        routes += running.filter { !names.contains($0.specification.name) }.map {
            Route(
                name: $0.specification.name, kind: .added,
                text: $0.standing == .quarantined ? "is not understood: \($0.problem ?? "")" : "is not in the file")
        }
        routes.sort { $0.name < $1.name }
    }
}

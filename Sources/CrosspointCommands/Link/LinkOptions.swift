// The options of both ends of a link.

import ArgumentParser
import Routing

/// The link key, and what both nodes call the flow.
struct LinkOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The link key's name.", valueName: "key"))
    var key: String

    @Option(
        name: .long, help: ArgumentHelp("What both nodes call the flow. (default: the route's name)", valueName: "flow")
    )
    var flow: String?

    func reference() throws -> KeyReference {
        try RouteSpecification.validate(name: key)
        if let flow { try RouteSpecification.validate(name: flow) }
        return KeyReference(key: key, flow: flow)
    }
}

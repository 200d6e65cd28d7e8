// The control API: JSON over HTTP, version 1. docs/api.md is its reference.

import Events
import FoundationEssentials
import Glibc
import Hummingbird
import RTSPProxy
import Routing
import SIPAgent
import Sessions

/// Answers the requests of the control API.
struct ControlRouter: Sendable {
    let control: any RouteControl
    let statistics: any StatisticsSource
    let information: any NodeInformationSource
    let keeper: ConfigurationKeeper
    let sessions: [any SessionControl]
    let rtspRoutes: (any RTSPRouteControl)?
    let sip: (any SIPControl)?
    let events: EventLog
    let book: StateBook
    let scanner: (any PortScanning)?
    let startedAt: String

    /// The largest body that a request may have, in bytes: ten thousands of legs in one request.
    static let maximumBody = 16 << 20

    /// The routes of the API; the metrics alone if `readOnly` is set.
    func makeRouter(readOnly: Bool) -> Router<ControlContext> {
        let router = Router(context: ControlContext.self)
        router.middlewares.add(RequestAuthors())
        router.middlewares.add(ControlErrors(readOnly: readOnly))
        addMetrics(to: router)
        // Reports on sessions, routes and the configuration are for the socket's group, not for everybody who can connect.
        guard !readOnly else { return router }
        addReading(to: router)
        addScanning(to: router)
        addEvents(to: router)
        addReadingOfSessions(to: router)
        addChanging(to: router)
        addChangingOfSessions(to: router)
        return router
    }

    private func addMetrics(to router: Router<ControlContext>) {
        router.get("metrics") { _, _ in
            let text = PrometheusText.text(
                of: try await statistics.snapshot(), sessions: await sessionStatistics(),
                states: NodeStates(flows: book.reports(), routes: await control.routes()))
            return Response(
                status: .ok, headers: [.contentType: PrometheusText.contentType],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        }
    }

    private func addReading(to router: Router<ControlContext>) {
        router.get("v1/node") { _, _ in try json(await node()) }
        router.get("v1/ports") { _, _ in try json(try await information.ports()) }
        router.get("v1/states") { _, _ in try json(book.reports()) }
        router.get("v1/statistics") { _, _ in try json(try await statistics.snapshot()) }
        router.get("v1/routes") { _, _ in try json(await control.routes()) }
        router.get("v1/routes/:name") { _, context in try json(try await control.route(try name(context))) }
        router.get("v1/configuration/difference") { _, _ in try json(try await keeper.difference()) }
        router.get("v1/configuration") { request, _ in
            let showsSecrets = try showsSecrets(request)
            let effective = await keeper.effective()
            let configuration = showsSecrets ? effective : effective.masked
            let wanted = request.uri.queryParameters["format"].map(String.init) ?? "json"
            switch wanted {
            case "json": return try json(configuration)
            case "yaml":
                return Response(
                    status: .ok, headers: [.contentType: "application/yaml; charset=utf-8"],
                    body: ResponseBody(byteBuffer: ByteBuffer(string: ConfigurationWriter.text(of: configuration))))
            default: throw RoutingError(.invalid, "format '\(wanted)' is unknown; use json or yaml")
            }
        }
    }

    private func addChanging(to router: Router<ControlContext>) {
        router.post("v1/routes") { request, _ in
            switch try await body(OneOrMany<RouteSpecification>.self, of: request) {
            case .one(let route):
                if try isDryRun(request) {
                    try await control.problems(with: [.add(route, owner: .operator)])
                    return Response(status: .noContent)
                }
                return try json(try await control.add(route, owner: .operator), status: .created)
            case .many(let routes):
                if try isDryRun(request) {
                    try await control.problems(with: routes.map { .add($0, owner: .operator) })
                    return Response(status: .noContent)
                }
                return try json(try await add(routes), status: .created)
            }
        }
        router.put("v1/routes/:name") { request, context in
            let route = try await body(RouteSpecification.self, of: request)
            let name = try name(context)
            guard route.name == name else {
                throw RoutingError(
                    .invalid, "the route is named '\(route.name)' in the body and '\(name)' in the path; name one")
            }
            let present = await control.routes().first { $0.specification.name == name }
            try check(request, against: present)
            if present != nil { _ = try await operatedRoute(context) }
            let change: RouteChange = present == nil ? .add(route, owner: .operator) : .replace(route)
            if try isDryRun(request) {
                try await control.problems(with: [change])
                return Response(status: .noContent)
            }
            return try json(try await control.apply([change]), status: present == nil ? .created : .ok)
        }
        router.delete("v1/routes/:name") { _, context in
            try await control.remove(route: try await operatedRoute(context))
            return Response(status: .noContent)
        }
        router.post("v1/routes/:name/take") { request, context in
            let take = try await body(TakeRequest.self, of: request)
            let wait = try take.wait()
            return try json(
                try await control.take(route: try await operatedRoute(context), source: take.from, awaiting: wait))
        }
        router.put("v1/routes/:name/engine") { request, context in
            let asked = try await body(EngineRequest.self, of: request)
            return try json(try await control.setEngine(asked.engine, of: try await operatedRoute(context)))
        }
        router.post("v1/routes/:name/legs") { request, context in
            let leg = try await body(LegRequest.self, of: request)
            return try json(
                try await control.addLeg(leg.to, to: try await operatedRoute(context), force: leg.force),
                status: .created)
        }
        router.put("v1/routes/:name/legs/:number") { request, context in
            let leg = try await body(LegRequest.self, of: request)
            return try json(
                try await control.setLeg(try number(context), of: try await operatedRoute(context), to: leg.to))
        }
        router.delete("v1/routes/:name/legs/:number") { _, context in
            try await control.removeLeg(try number(context), from: try await operatedRoute(context))
            return Response(status: .noContent)
        }
        router.post("v1/reload") { request, _ in
            try json(
                try await keeper.reload(
                    discardsChanges: try flag("discard-changes", of: request), isDryRun: try isDryRun(request)))
        }
    }

    /// Adds all of `routes`, or none.
    private func add(_ routes: [RouteSpecification]) async throws(RoutingError) -> [RouteReport] {
        do { return try await control.apply(routes.map { .add($0, owner: .operator) }) } catch {
            throw RoutingError(error.code, "none was added: \(error.message)", details: error.details)
        }
    }

    private func isDryRun(_ request: Request) throws(RoutingError) -> Bool { try flag("dry-run", of: request) }

    private func flag(_ name: String, of request: Request) throws(RoutingError) -> Bool {
        switch request.uri.queryParameters[name[...]].map(String.init) {
        case nil, "false": return false
        case "true", "": return true
        case let text?: throw RoutingError(.invalid, "\(name) '\(text)' is unknown; use true or false")
        }
    }

    /// Refuses a change of a route that is not as the client last saw it (`If-Match`, RFC 9110 section 13.1.1).
    private func check(_ request: Request, against present: RouteReport?) throws(RoutingError) {
        guard let wanted = request.headers[.ifMatch] else { return }
        let tags = wanted.split(separator: ",").map {
            $0.drop { $0 == " " || $0 == "\"" }.prefix { $0 != "\"" && $0 != " " }
        }
        guard let present else { throw RoutingError(.conflict, "the route does not exist, and If-Match asks for one") }
        guard !tags.contains("*"), !tags.contains(where: { UInt64($0) == present.revision }) else { return }
        throw RoutingError(
            .conflict,
            "route '\(present.specification.name)' has revision \(present.revision), and If-Match asks for \(wanted); read it again"
        )
    }

    private func node() async -> NodeReport {
        let configuration = await keeper.configuration
        return NodeReport(
            node: configuration.node, version: Version.current, processIdentifier: getpid(), startedAt: startedAt,
            configurationFile: keeper.path, problem: await keeper.problem,
            runtimeDirectory: configuration.runtimeDirectory, bpffs: configuration.bpffs
        )
    }

    /// True if passwords were asked for: for `config save`, which writes them into a file that is for the daemon alone.
    private func showsSecrets(_ request: Request) throws -> Bool {
        switch request.uri.queryParameters["secrets"].map(String.init) {
        case nil: return false
        case "include": return true
        case let text?: throw RoutingError(.invalid, "secrets '\(text)' is unknown; use include, or leave it out")
        }
    }

    func name(_ context: ControlContext) throws -> String { try context.parameters.require("name") }

    private func number(_ context: ControlContext) throws -> UInt32 {
        let text = try context.parameters.require("number")
        guard let number = UInt32(text) else {
            throw RoutingError(.invalid, "leg '\(text)' is not a number; GET /v1/routes/NAME lists the legs by number")
        }
        return number
    }

    func body<Value: Decodable>(_ type: Value.Type, of request: Request) async throws -> Value {
        let buffer = try await request.body.collect(upTo: Self.maximumBody)
        return try JSONText.decode(type, from: buffer.readableBytesView)
    }

    func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        var buffer = ByteBuffer(bytes: try JSONText.encode(value))
        buffer.writeString("\n")
        return Response(
            status: status, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: buffer))
    }
}

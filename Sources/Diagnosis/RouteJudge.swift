// The walk along the chain of a route: facts in, findings out. Pure.

import FastPath
import Node
import RTPWire
import Routing

/// Judges one route.
///
/// The links of the chain are walked in the order of the packets. The first fault is the cause: what lies behind it follows from it.
public struct RouteJudge {
    let facts: RouteFacts
    var findings: [Finding] = []

    /// The diagnosis of a route by `facts`.
    public static func diagnosis(_ facts: RouteFacts) -> Diagnosis {
        var judge = RouteJudge(facts: facts)
        judge.walk()
        return judge.result()
    }

    private init(facts: RouteFacts) { self.facts = facts }

    private mutating func walk() {
        guard judgeDaemon(), let route = judgeRoute() else { return }
        let isHeld = judgePort(route) && judgeMembership(route)
        if isHeld { judgeArrival(route) }
        guard facts.isMoving else {
            // Packets would leave, or would not: that is seen before any comes.
            judgeLegs(route)
            return
        }
        judgePayload(route)
        judgeEngine(route)
        judgeLoss()
        judgeLegs(route)
        judgeReceivers(route)
    }

    private func result() -> Diagnosis {
        guard let first = findings.first(where: { $0.verdict == .fault }) else {
            return Diagnosis(
                route: facts.name, isHealthy: true, cause: nil,
                conclusion: "Route \(facts.name) is healthy as far as this node can see.", remedy: nil,
                findings: findings)
        }
        let conclusion = "Route \(facts.name): \(first.text)"
        return Diagnosis(
            route: facts.name, isHealthy: false, cause: first.cause, conclusion: conclusion + ".",
            remedy: first.remedy.map {
                $0.prefix(1).uppercased() + $0.dropFirst() + ($0.hasSuffix("?") ? "" : ".")
            }, findings: findings)
    }

    // MARK: Notes

    mutating func right(_ link: Finding.Link, _ text: String) {
        findings.append(Finding(link: link, verdict: .right, text: text))
    }

    mutating func note(_ link: Finding.Link, _ text: String) {
        findings.append(Finding(link: link, verdict: .note, text: text))
    }

    mutating func fault(_ link: Finding.Link, _ cause: Cause, _ text: String, remedy: String) {
        findings.append(Finding(link: link, verdict: .fault, text: text, cause: cause, remedy: remedy))
    }

    // MARK: Daemon and route

    /// False where nothing further can be said.
    private mutating func judgeDaemon() -> Bool {
        switch facts.daemon {
        case .answers:
            right(.daemon, "the daemon answers")
            return true
        case .dead(let secondsAgo):
            let since = secondsAgo.map { ", its last sign of life was \($0) s ago" } ?? ""
            let forwarding: String =
                switch facts.flow {
                case let flow? where facts.isMoving:
                    "; the fast path goes on, \(Rate.packets(Double(flow.new.packets - flow.old.packets) / max(facts.seconds, 0.001))) of the route"
                case _?: "; the fast path has the route, and no packet of it comes"
                case nil: ""
                }
            fault(
                .daemon, .daemonDead, "no daemon answers\(since)\(forwarding)",
                remedy: "start it with 'systemctl start crosspoint' or 'crosspoint run', and ask again")
            return false
        }
    }

    private mutating func judgeRoute() -> RouteReport? {
        guard let route = facts.route else {
            fault(
                .route, .routeUnknown, "no route has this name",
                remedy: facts.routes.isEmpty
                    ? "there are no routes; 'crosspoint route add' makes one"
                    : Suggestion.remedy(for: facts.name, in: facts.routes))
            return nil
        }
        switch route.standing {
        case .live: right(.route, "it is admitted, from \(route.specification.source)")
        case .refused:
            let problem = route.problem ?? "the reason is in the daemon's log"
            if let missing = missingInterface(route) {
                fault(
                    .route, .interfaceMissing, "it is wanted and not carried: interface \(missing) does not exist",
                    remedy:
                        "plug in or create \(missing), which brings the route up, or name another interface in the route"
                )
            } else {
                fault(
                    .route, .routeRefused, "it is wanted and not carried: \(problem)",
                    remedy:
                        "change what the reason names: in the configuration, then 'crosspoint config reload', or remove the route and add it again"
                )
            }
            return nil
        case .quarantined:
            fault(
                .route, .routeQuarantined,
                "it goes on as it was found, and nobody owns it: \(route.problem ?? "its record is not understood")",
                remedy: "remove it with 'crosspoint route remove \(facts.name)' and add it again")
            return nil
        }
        return route
    }

    /// An interface of the route that the host does not have.
    private func missingInterface(_ route: RouteReport) -> String? {
        let names = [route.specification.source.port] + route.specification.legs.map(\.port)
        guard !facts.interfaces.isEmpty else { return nil }
        return names.map(\.interface).first { $0 != PortReference.host.interface && facts.interface($0) == nil }
    }

    // MARK: Port and membership

    private mutating func judgePort(_ route: RouteReport) -> Bool {
        let name = route.specification.source.port.interface
        guard name != PortReference.host.interface else {
            right(.port, "packets come from programs of this host")
            return true
        }
        guard let interface = facts.interface(name) else {
            fault(
                .port, .interfaceMissing, "interface \(name) does not exist",
                remedy: "plug in or create \(name), or give the route another port with 'crosspoint route take'")
            return false
        }
        guard interface.isUp else {
            fault(
                .port, .portDown, "port \(name) is down or has no carrier",
                remedy: "check the cable and the switch, and bring it up with 'ip link set \(name) up'")
            return false
        }
        right(.port, "port \(name) is up")
        return true
    }

    private mutating func judgeMembership(_ route: RouteReport) -> Bool {
        let source = route.specification.source
        let destination = "\(source.address.bracketed):\(source.udpPort)"
        switch route.membership {
        case "joined": right(.membership, "group \(source.address) is joined")
        case "reserved": right(.membership, "\(destination) is reserved")
        case "off":
            if source.address.isMulticast, !facts.isMoving, source.port.interface != PortReference.host.interface {
                note(.membership, "the node does not join the group itself (join=off)")
            }
        case let problem:
            fault(
                .membership, .membershipFailed, "its packets cannot be asked for: \(problem)",
                remedy: "mend what the reason names; the node tries again when the network changes")
            return false
        }
        guard source.address.isMulticast, let scan = facts.scan else { return true }
        let queries = scan.flows.filter { $0.kind == .membershipQuery }
        if let querier = queries.first {
            right(.querier, "a querier was heard: \(querier.source ?? "unknown")")
        } else {
            note(
                .querier,
                "no query of IGMP or MLD was heard in \(Rate.seconds(scan.seconds)); queriers ask every 125 s, '--seconds 130' makes sure"
            )
        }
        return true
    }
}

extension RouteJudge {
    /// The remedy of a setting that cannot be changed while a route runs.
    func again(_ option: String, _ setting: String) -> String {
        "set '\(setting)' in the configuration and 'crosspoint config reload', or remove the route and add it again with '\(option)'"
    }
}

/// Quantities in findings.
enum Rate {
    static func packets(_ rate: Double) -> String { number(rate) + " packets/s" }

    /// `2.66 Gb/s`.
    static func bits(_ rate: Double) -> String {
        for (scale, unit) in [(1e9, "Gb/s"), (1e6, "Mb/s"), (1e3, "kb/s")] where rate >= scale {
            return "\((rate / scale * 100).rounded() / 100) \(unit)"
        }
        return "\(Int(rate.rounded())) b/s"
    }

    static func seconds(_ seconds: Double) -> String { "\((seconds * 10).rounded() / 10) s" }

    private static func number(_ value: Double) -> String {
        value >= 10 ? "\(Int(value.rounded()))" : "\((value * 10).rounded() / 10)"
    }
}

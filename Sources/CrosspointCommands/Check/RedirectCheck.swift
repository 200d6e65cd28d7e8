// Check that redirected frames leave through the host's interfaces: the part of `check` that sends something.

import FastPath
import Glibc
import Netlink
import Node

/// Sends one frame through each interface that can be a port, and says what became of it.
struct RedirectCheck {
    /// The probe, or why there is none.
    private let probe: Result<RedirectProbe, FastPathError>
    /// True if a program is attached for the test where there is none.
    private let attaches: Bool

    init(attaches: Bool) {
        self.attaches = attaches
        probe = Result { () throws(FastPathError) in try RedirectProbe() }
    }

    /// The report with what was found out about redirects.
    func complete(_ report: PortReport, _ interface: NetworkInterface) -> PortReport {
        var report = report
        let answer = test(interface)
        report.redirect = answer.verdict
        report.redirectReason = answer.reason
        if answer.verdict == "no", let reason = answer.reason { report.problems.append("no redirect: \(reason)") }
        return report
    }

    private typealias Answer = (verdict: String, reason: String?)

    private func test(_ interface: NetworkInterface) -> Answer {
        // Without native XDP there is nothing to ask; that is a problem of its own.
        if let features = interface.xdpFeatures, !features.contains(.basic) { return ("no", nil) }
        guard let mac = interface.mac else { return ("no", "it is no Ethernet interface; use another") }
        guard interface.isUp, interface.isRunning else {
            return ("unknown", "it is down; set it up with 'ip link set \(interface.name) up' and check again")
        }
        do throws(FastPathError) {
            let probe = try probe.get()
            let outcome = try probe.send(through: interface.index, mac: mac)
            guard case .refused(let error) = outcome, interface.xdp == nil else { return answer(outcome, interface) }
            guard attaches else {
                return (
                    "unknown",
                    "not without an XDP program on it (\(Self.text(error))); 'crosspoint check --attach' attaches one "
                        + "for a moment, which interrupts the link of some drivers"
                )
            }
            return answer(try probe.sendAttached(through: interface.index, mac: mac), interface)
        } catch {
            return ("unknown", error.message)
        }
    }

    private func answer(_ outcome: RedirectProbe.Outcome, _ interface: NetworkInterface) -> Answer {
        switch outcome {
        case .sent: ("yes", nil)
        case .unknown: ("unknown", "the kernel did not say what became of the frame")
        case .refused(let error): ("no", Self.remedy(error, interface))
        }
    }

    private static func remedy(_ error: CInt, _ interface: NetworkInterface) -> String {
        switch error {
        case ENXIO where interface.kind == "veth", EOPNOTSUPP where interface.kind == "veth":
            "the other end of the veth does not poll; there, 'ethtool -K PEER gro on' or attach an XDP program"
        case ENXIO:
            "the driver has no transmit queue for redirected frames (\(text(error))); give it as many queues as there "
                + "are processors, 'ethtool -L \(interface.name) combined N', or use another interface"
        case EOPNOTSUPP:
            "driver \(interface.driver ?? interface.kind ?? "of unknown name") takes no redirected frames; use another "
                + "interface"
        case ENETDOWN: "it went down; set it up with 'ip link set \(interface.name) up' and check again"
        default: "the driver refused the frame (\(text(error))); use another interface"
        }
    }

    private static func text(_ error: CInt) -> String {
        error == 0 ? "no reason given" : String(cString: strerror(error))
    }
}

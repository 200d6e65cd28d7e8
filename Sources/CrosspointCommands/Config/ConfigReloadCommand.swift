// `crosspoint config reload`.

import ArgumentParser
import Node
import Routing

/// Makes the daemon read its configuration again.
struct ConfigReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Make the daemon read its configuration file again.",
        discussion: """
            Routes of the file that did not change are not touched, and routes that operators added are left alone; calls go on \
            under another dial plan. A file with an error changes nothing. The same as SIGHUP, but with an answer.

            EXAMPLE
              crosspoint config reload
            """)

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let report: ReloadReport = try await control.client.send(.post, "/v1/reload")
        try output.print(report) {
            let routes = report.routes
            var text = "reloaded: \(Count.text(routes.added.count, "route")) added, \(routes.changed.count) changed, "
            text += "\(routes.removed.count) removed, \(routes.unchanged.count) unchanged\n"
            if let routes = report.rtspRoutes {
                text += "RTSP: \(Count.text(routes.added.count, "route")) added, \(routes.changed.count) changed, "
                text += "\(routes.removed.count) removed, \(routes.unchanged.count) unchanged\n"
            }
            if let sip = report.sip, sip.failure == nil {
                text += "SIP: \(Count.text(sip.rules, "rule")) of the dial plan in force\n"
            }
            if !report.needRestart.isEmpty {
                text += "in effect at the next start only: \(report.needRestart.joined(separator: ", "))\n"
            }
            return text
        }
        let failures =
            report.routes.failures + (report.rtspRoutes?.failures ?? [])
            + [report.sip?.failure.map { "sip: the earlier configuration stays: \($0)" }].compactMap { $0 }
        if let failure = failures.first {
            let more = failures.count - 1
            throw CommandError(failure + (more > 0 ? " (and \(more) more, see the daemon's log)" : ""))
        }
    }
}

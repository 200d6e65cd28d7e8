// `crosspoint config reload`.

import ArgumentParser
import Node
import Routing

/// Makes the daemon read its configuration again.
struct ConfigReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Make the daemon read its configuration file again.",
        discussion: """
            The routes of the file are checked as a whole and made live as a whole: routes that did not change are not touched, \
            and a file with an error changes nothing. Routes that operators added, and routes of the file that were changed at \
            run time, are left alone and listed; --discard-changes makes the latter what the file says. Calls go on under another \
            dial plan. The same as SIGHUP, but with an answer.

            EXAMPLES
              crosspoint config reload --dry-run
              crosspoint config reload
            """)

    @Flag(name: .long, help: "Report what would happen, and change nothing.")
    var dryRun = false

    @Flag(name: .long, help: "Undo changes of run time that the file does not have.")
    var discardChanges = false

    @OptionGroup var control: ControlOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let report: ReloadReport = try await control.client.send(
            .post, "/v1/reload?dry-run=\(dryRun)&discard-changes=\(discardChanges)")
        try output.print(report) {
            let routes = report.routes
            let done = !routes.failures.isEmpty ? "nothing has changed" : dryRun ? "would be reloaded" : "reloaded"
            var text = "\(done): \(Count.text(routes.added.count, "route")) added, \(routes.changed.count) changed, "
            text += "\(routes.removed.count) removed, \(routes.unchanged.count) unchanged\n"
            for change in routes.kept { text += "kept: \(change)\n" }
            if !routes.kept.isEmpty, !discardChanges {
                text += "--discard-changes undoes these, 'crosspoint config save' keeps them in the file\n"
            }
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
            throw CommandError(
                failure + (more > 0 ? " (and \(more) more: \(failures.dropFirst().joined(separator: "; ")))" : ""))
        }
    }
}

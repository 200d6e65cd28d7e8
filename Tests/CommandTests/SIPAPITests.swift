// Calls, registered devices and the reload of the dial plan over the control API.

import Foundation
import Node
import SIPAgent
import Sessions
import Testing

@testable import CrosspointCommands

@Suite("Control API: SIP", .timeLimit(.minutes(1)))
struct SIPAPITests {
    private static let section = """
        sip:
          allow: [10.1.0.0/16]
          dial-plan:
            - {name: a, to: 'sip:10.2.0.5'}

        """

    @Test("Messages of calls and registrations are told; what is no call, or not there, is an error")
    func reading() async throws {
        try await RunningNode.run(configuration: Self.section, agent: MockAgent()) { node in
            let messages: [SIPLadderEntry] = try await node.client.send(.get, "/v1/sessions/sip-1/messages")
            #expect(messages == [MockAgent.message])
            let registrations: [SIPRegistrationReport] = try await node.client.send(.get, "/v1/sip/registrations")
            #expect(registrations == [MockAgent.registration])
            #expect(SIPRegistrationsCommand.table(registrations).text(colour: false).contains("sip:studio1@10.1.0.7"))
            let error = await #expect(throws: CommandError.self) {
                try await node.client.send(.get, "/v1/sessions/sip-2/messages")
            }
            #expect(error?.message.contains("there is no session 'sip-2'") == true)
            let noProxy = await #expect(throws: CommandError.self) {
                try await node.client.send(.get, "/v1/rtsp/routes")
            }
            #expect(noProxy?.message.contains("no RTSP proxy") == true)
        }
        try await RunningNode.run(configuration: "rtsp: {}\n", proxy: MockProxy(sessions: MockProxy.sample)) { node in
            let error = await #expect(throws: CommandError.self) {
                try await node.client.send(.get, "/v1/sip/registrations")
            }
            #expect(error?.message.contains("no SIP agent") == true)
            let other = await #expect(throws: CommandError.self) {
                try await node.client.send(.get, "/v1/sessions/player-1/messages")
            }
            #expect(other?.message.contains("is no SIP call") == true)
        }
    }

    @Test("A reload hands the dial plan to the agent, and keeps from it what only a start can change")
    func reload() async throws {
        let agent = MockAgent()
        try await RunningNode.run(configuration: Self.section, agent: agent) { node in
            let base = try String(contentsOfFile: node.configurationFile, encoding: .utf8)
            let changed = base.replacing("name: a", with: "name: b").replacing(
                "  allow:", with: "  realm: other\n  allow:")
            try Data(changed.utf8).write(to: URL(filePath: node.configurationFile))
            let report: ReloadReport = try await node.client.send(.post, "/v1/reload")
            #expect(report.sip == .init(rules: 1))
            #expect(report.needRestart == ["sip.realm"])
            let configuration = try #require(await agent.configurations.last)
            #expect(configuration.dialPlan.map(\.name) == ["b"])
            #expect(configuration.realm == "crosspoint")
            let effective = try await RawHTTP.request("GET", "/v1/configuration", body: "", to: .socket(node.socket))
            #expect(effective.body.contains(#""name":"b""#))
        }
    }

    @Test("An agent that cannot use the change goes on with what it had, which the answer says")
    func refusedReload() async throws {
        try await RunningNode.run(configuration: Self.section, agent: MockAgent(refuses: true)) { node in
            let report: ReloadReport = try await node.client.send(.post, "/v1/reload")
            #expect(report.sip == .init(rules: 1, failure: "the users cannot be read"))
        }
    }
}

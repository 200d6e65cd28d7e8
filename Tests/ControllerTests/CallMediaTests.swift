// Media of SIP calls in a real fast path, between sockets on two networks.

import AgentSupport
import FastPath
import Logging
import RTPWire
import SDP
import SIPAgent
import SIPCore
import Sessions
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite("Media of calls") @AgentActor
    struct CallMediaSuite {
        /// A call between 10.0.0.2 on in0 and a callee on out0.
        @AgentActor
        final class Call {
            let bench: ControllerBench
            let media: CallMedia
            let branch: MediaBranch
            /// Sockets of the peers, by UDP port.
            private(set) var sockets: [UInt16: PlainSocket] = [:]
            private(set) var version = 1
            /// Where this node receives each side's media.
            private var places: [SIPSide: (address: IPAddress, udpPort: UInt16)] = [:]
            let caller: IPAddress
            let callee: IPAddress

            init(
                callee: IPAddress = IPAddress(10, 1, 0, 2), sources: MediaSources = .strict,
                offer: [String] = ["m=audio 4000 RTP/AVP 0"], answer: [String] = ["m=audio 6000 RTP/AVP 0"]
            ) async throws {
                bench = try await ControllerBench(egressPorts: 1)
                caller = IPAddress(10, 0, 0, 2)
                self.callee = callee
                media = CallMedia(
                    name: "c", context: try Self.context(bench),
                    caller: MediaPeer(signalling: caller, sources: sources) { _ in true })
                try media.receiveOffer(Self.sdp(caller, 1, offer), from: .caller)
                branch = media.addBranch(towards: MediaPeer(signalling: callee) { _ in true })
                _ = try await media.offer(to: .callee, on: branch)
                _ = try await media.receiveAnswer(Self.sdp(callee, 1, answer), from: .callee, on: branch)
                try await media.choose(branch)
                try notePlaces()
                try await waitForLegs()
            }

            static func context(_ bench: ControllerBench) throws -> MediaContext {
                MediaContext(
                    routing: try bench.controller, udpPorts: 20_000...20_999, logger: Logger(label: "test"))
            }

            static func sdp(_ address: IPAddress, _ version: Int, _ media: [String]) -> [UInt8] {
                let family = address.family == .ipv4 ? "IP4" : "IP6"
                let lines = [
                    "v=0", "o=- 7 \(version) IN \(family) \(address)", "s=-", "c=IN \(family) \(address)", "t=0 0",
                ]
                return Array((lines + media).map { $0 + "\r\n" }.joined().utf8)
            }

            /// A socket of the peer whose address it is.
            func open(_ address: IPAddress, _ udpPort: UInt16) async throws {
                sockets[udpPort] = try await bench.network.far.perform {
                    try PlainSocket(address: address, udpPort: udpPort)
                }
            }

            /// The next hops of all legs are known.
            func waitForLegs() async throws {
                try await soon { [bench] in
                    let legs = try await bench.controller.routes().flatMap(\.legs)
                    return legs.allSatisfy { $0.state == .active } ? nil : "\(legs.map(\.state))"
                }
            }

            /// Both sides describe their media anew.
            func change(offer: [String], answer: [String]) async throws {
                version += 1
                try media.receiveOffer(Self.sdp(caller, version, offer), from: .caller, on: branch)
                _ = try await media.offer(to: .callee, on: branch)
                _ = try await media.receiveAnswer(Self.sdp(callee, version, answer), from: .callee, on: branch)
                try await waitForLegs()
            }

            private func notePlaces() throws {
                for side in SIPSide.allCases {
                    let bytes = try #require(media.lastDescription(to: side, on: branch))
                    let description = try SessionDescription(parsing: bytes)
                    let medium = try #require(description.media.first)
                    places[side] = (try #require(description.connection(of: medium)?.ipAddress), medium.udpPort)
                }
            }

            /// Sends from one socket and waits for it at another; nil where `other`, which is sent behind it, comes alone.
            func passes(
                _ bytes: [UInt8], from sender: UInt16, _ side: SIPSide, rtcp: Bool = false, to receiver: UInt16
            ) async throws -> Bool {
                let (address, udpPort) = try #require(places[side])
                let (from, to) = (try #require(sockets[sender]), try #require(sockets[receiver]))
                _ = to.receiveAll()
                try await bench.network.far.perform {
                    try from.send(bytes, to: address, udpPort: rtcp ? udpPort + 1 : udpPort)
                }
                // What passes does so within microseconds; what is refused never comes.
                for _ in 0..<50 {
                    if to.receiveAll().contains(bytes) { return true }
                    try await Task.sleep(for: .milliseconds(2))
                }
                return false
            }
        }

        private static func rtp(_ sequence: UInt16) -> [UInt8] {
            RTPPacket(
                payloadType: 0, sequence: sequence, payload: [UInt8](repeating: UInt8(sequence % 256), count: 160)
            ).bytes
        }

        private static let report: [UInt8] = [0x80, 200, 0, 6] + [UInt8](repeating: 7, count: 24)

        /// A call with all four sockets open.
        private func call(callee: IPAddress = IPAddress(10, 1, 0, 2)) async throws -> Call {
            let call = try await Call(callee: callee)
            for udpPort in [4000, 4001, 4009] as [UInt16] { try await call.open(call.caller, udpPort) }
            for udpPort in [6000, 6001] as [UInt16] { try await call.open(callee, udpPort) }
            return call
        }

        @Test(
            "RTP and RTCP pass both ways, in either family; what comes from elsewhere does not",
            arguments: ["10.1.0.2", "2001:db8:1::2"])
        func bothWays(callee: String) async throws {
            let call = try await call(callee: try #require(IPAddress(callee)))
            #expect(try await call.passes(Self.rtp(1), from: 4000, .caller, to: 6000))
            #expect(try await call.passes(Self.rtp(2), from: 6000, .callee, to: 4000))
            #expect(try await call.passes(Self.report, from: 4001, .caller, rtcp: true, to: 6001))
            #expect(try await call.passes(Self.report, from: 6001, .callee, rtcp: true, to: 4001))
            #expect(try await !call.passes(Self.rtp(3), from: 4009, .caller, to: 6000))
            #expect(try await call.passes(Self.rtp(4), from: 4000, .caller, to: 6000))
            let streams = await call.media.streams()
            #expect(streams.map(\.reception?.packets) == [2, 1])
            await call.media.end()
            #expect(try await call.bench.controller.routes().isEmpty)
            #expect(call.bench.store.names.isEmpty)
            #expect(try await !call.passes(Self.rtp(5), from: 4000, .caller, to: 6000))
        }

        @Test("O-03: hold stops RTP alone, and resume has it pass again")
        func hold() async throws {
            let call = try await call()
            try await call.change(
                offer: ["m=audio 4000 RTP/AVP 0", "a=inactive"], answer: ["m=audio 6000 RTP/AVP 0", "a=inactive"])
            #expect(try await !call.passes(Self.rtp(1), from: 4000, .caller, to: 6000))
            #expect(try await !call.passes(Self.rtp(2), from: 6000, .callee, to: 4000))
            #expect(try await call.passes(Self.report, from: 4001, .caller, rtcp: true, to: 6001))
            try await call.change(offer: ["m=audio 4000 RTP/AVP 0"], answer: ["m=audio 6000 RTP/AVP 0"])
            #expect(try await call.passes(Self.rtp(3), from: 4000, .caller, to: 6000))
            #expect(try await call.passes(Self.rtp(4), from: 6000, .callee, to: 4000))
        }

        @Test("O-06: on one UDP port for both, hold stops RTP and not RTCP")
        func multiplexed() async throws {
            let call = try await Call(
                offer: ["m=audio 4000 RTP/AVP 0", "a=rtcp-mux"], answer: ["m=audio 6000 RTP/AVP 0", "a=rtcp-mux"])
            try await call.open(call.caller, 4000)
            try await call.open(call.callee, 6000)
            #expect(try await call.passes(Self.rtp(1), from: 4000, .caller, to: 6000))
            #expect(try await call.passes(Self.report, from: 4000, .caller, to: 6000))
            try await call.change(
                offer: ["m=audio 4000 RTP/AVP 0", "a=rtcp-mux", "a=inactive"],
                answer: ["m=audio 6000 RTP/AVP 0", "a=rtcp-mux", "a=inactive"])
            #expect(try await !call.passes(Self.rtp(2), from: 4000, .caller, to: 6000))
            #expect(try await call.passes(Self.report, from: 4000, .caller, to: 6000))
        }

        @Test("O-04: after a change both UDP ports are heard, and the old one no more when media come from the new one")
        func udpPortChange() async throws {
            let call = try await call()
            try await call.open(call.caller, 4444)
            try await call.change(offer: ["m=audio 4444 RTP/AVP 0"], answer: ["m=audio 6000 RTP/AVP 0"])
            #expect(try await call.passes(Self.rtp(1), from: 4000, .caller, to: 6000))
            #expect(try await call.passes(Self.rtp(2), from: 6000, .callee, to: 4444))
            #expect(try await call.passes(Self.rtp(3), from: 4444, .caller, to: 6000))
            try await soon {
                let names = try await call.bench.controller.routes().map(\.specification.name)
                return names.contains("sip.c.0.caller.rtp") ? "\(names)" : nil
            }
            #expect(try await !call.passes(Self.rtp(4), from: 4000, .caller, to: 6000))
            #expect(try await call.passes(Self.rtp(5), from: 4444, .caller, to: 6000))
            await call.media.end()
            #expect(try await call.bench.controller.routes().isEmpty)
            #expect(call.bench.store.names.isEmpty)
        }

        @Test("M-09: a source is learned from the first packet, and media go back there")
        func learned() async throws {
            let call = try await Call(sources: .learn)
            for udpPort in [4000, 4009] as [UInt16] { try await call.open(call.caller, udpPort) }
            try await call.open(call.callee, 6000)
            #expect(try await call.passes(Self.rtp(1), from: 4009, .caller, to: 6000))
            try await soon {
                let source = try await call.bench.controller.route("sip.c.0.caller.rtp").specification.source
                return source.sourceUDPPort == 4009 ? nil : "\(source)"
            }
            try await soon {
                let leg = try await call.bench.leg(1, of: "sip.c.0.callee.rtp")
                return leg.specification.udpPort == 4009 && leg.state == .active ? nil : "\(leg)"
            }
            #expect(try await call.passes(Self.rtp(2), from: 6000, .callee, to: 4009))
            #expect(try await !call.passes(Self.rtp(3), from: 4000, .caller, to: 6000))
        }

        @Test("O-05: a group of the caller's network reaches a callee by unicast")
        func group() async throws {
            let call = try await Call(
                offer: [
                    "m=audio 5004 RTP/AVP 97", "c=IN IP4 239.1.1.10/32", "a=rtpmap:97 L24/48000/2",
                    "a=source-filter: incl IN IP4 239.1.1.10 10.0.0.2", "a=sendonly",
                ], answer: ["m=audio 6000 RTP/AVP 97", "a=rtpmap:97 L24/48000/2", "a=recvonly"])
            try await call.open(call.callee, 6000)
            #expect(try await call.bench.controller.route("sip.c.0.caller.rtp").membership == "joined")
            try call.bench.plan()
            try await call.bench.send(1000)
            #expect(try #require(call.sockets[6000]).receiveAll().count == 1000)
            await call.media.end()
            #expect(call.bench.store.names.isEmpty)
        }

        @Test("Media go on while the daemon is away; after its restart the call can be held and ended")
        func restart() async throws {
            let call = try await call()
            let record = try #require(call.media.record)
            let bench = call.bench
            await bench.stop()
            #expect(try await call.passes(Self.rtp(1), from: 4000, .caller, to: 6000))
            try await bench.start()
            let controller = try bench.controller
            let removed = await controller.removeSessionRoutes(of: "sip.", except: record.routeNames)
            #expect(removed.isEmpty)
            let media = try await CallMedia(
                adopting: record, context: try Call.context(bench),
                caller: MediaPeer(signalling: call.caller) { _ in true },
                callee: MediaPeer(signalling: call.callee) { _ in true })
            #expect(media.record == record)
            #expect(try await call.passes(Self.rtp(2), from: 6000, .callee, to: 4000))
            let statistics = await media.end()
            #expect(statistics.map(\.packets) == [1, 1])
            #expect(await controller.routes().isEmpty)
            #expect(bench.store.names.isEmpty)
        }
    }
}

/// Polls until the body says nothing more is wrong; records its last word if that takes too long.
@AgentActor
private func soon(
    sourceLocation: SourceLocation = #_sourceLocation, _ problem: @AgentActor () async throws -> String?
) async throws {
    var last: String?
    for _ in 0..<1000 {
        last = try await problem()
        if last == nil { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("after 20 s: \(last ?? "")", sourceLocation: sourceLocation)
}

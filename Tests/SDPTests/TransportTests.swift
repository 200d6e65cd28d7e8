// A description as the proxy passes it on.

import RTPWire
import SDP
import Testing

@Suite("SDP: transport of a proxy")
struct TransportTests {
    @Test("R-19: addresses and UDP ports go, everything else stays byte for byte")
    func stripped() throws {
        let description = try SessionDescription.of(
            PrintingTests.studio + ["a=rtcp:50021 IN IP4 10.1.0.7", "a=rtcp-fb:* nack"])
        let kept = PrintingTests.studio.map { line in
            if line.hasPrefix("c=") { return "c=IN IP4 0.0.0.0" }
            return line.replacingPort()
        }
        #expect(description.strippedOfTransport().printedLines == kept + ["a=rtcp-fb:* nack"])
    }

    @Test("R-19: every c= keeps its family; no c= is added, and what is stripped stays as it is")
    func families() throws {
        let description = try SessionDescription.of([
            "v=0", "c=IN IP6 ff15::101/3", "m=video 0 RTP/AVP 96", "c=In IP4 239.1.1.1/5/2", "c=IN ", "c=in ip6 ::",
            "m=audio 0  RTP/AVP 0",
        ])
        let stripped = description.strippedOfTransport()
        #expect(
            stripped.printedLines == [
                "v=0", "c=IN IP6 ::", "m=video 0 RTP/AVP 96", "c=IN IP4 0.0.0.0", "c=IN IP4 0.0.0.0", "c=IN IP6 ::",
                "m=audio 0  RTP/AVP 0",
            ])
        #expect(stripped.strippedOfTransport() == stripped)
    }

    @Test("R-21: controls are set for 1, 2 and 8 media, also where there were none", arguments: [1, 2, 8])
    func controls(count: Int) throws {
        let media = (0..<count).flatMap { ["m=video 0 RTP/AVP \(96 + $0)", "a=x", "a=control:rtsp://camera/\($0)"] }
        var description = try SessionDescription.of(["v=0", "m=audio 0 RTP/AVP 0"] + media)
        description.setControls(session: "*") { "trackID=\($0)" }
        #expect(description.attribute("control") == "*")
        #expect(description.media.map { $0.attributes(named: "control") } == (0...count).map { ["trackID=\($0)"] })
        #expect(description.media.map(\.hasTwoAttributes) == [false] + Array(repeating: true, count: count))
    }

    @Test("Groups for players that read the description only")
    func multicast() throws {
        let description = try SessionDescription.of([
            "v=0", "c=IN IP4 10.0.0.1", "a=source-filter: incl IN IP4 * 10.0.0.1", "m=video 0 RTP/AVP 96",
            "a=source-filter: incl IN IP4 239.1.1.1 10.0.0.1", "a=rtcp:9", "a=y", "m=audio 0/2 RTP/AVP 0",
            "m=text 7 RTP/AVP 98", "m=audio 9 RTP/AVP 8",
        ])
        let result = description.multicastDescription([
            0: .init(
                group: try #require(IPAddress("239.9.0.1")), udpPort: 5004, ttl: 16,
                source: IPAddress("10.5.0.1")),
            1: .init(group: try #require(IPAddress("ff3e::8000:1")), udpPort: 5006, ttl: 16),
            3: .init(group: try #require(IPAddress("239.9.0.4")), udpPort: 5010, ttl: 16),
        ])
        #expect(
            result.printedLines == [
                "v=0", "m=video 5004 RTP/AVP 96", "c=IN IP4 239.9.0.1/16", "a=y",
                "a=source-filter: incl IN IP4 239.9.0.1 10.5.0.1", "m=audio 5006 RTP/AVP 0", "c=IN IP6 ff3e::8000:1",
                "m=text 0 RTP/AVP 98", "c=IN IP4 0.0.0.0", "m=audio 5010 RTP/AVP 8", "c=IN IP4 239.9.0.4/16",
            ])
    }
}

extension String {
    /// An `m=` line with UDP port 0; any other line as it is.
    fileprivate func replacingPort() -> String {
        guard hasPrefix("m=") else { return self }
        var fields = split(separator: " ").map(String.init)
        fields[1] = "0"
        return fields.joined(separator: " ")
    }
}

extension MediaDescription {
    fileprivate var hasTwoAttributes: Bool { lines.count { $0.type == "a" } == 2 }
}

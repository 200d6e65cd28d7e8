// Which descriptions a client takes.

import RTSPCore
import Testing

@Suite struct AcceptHeaderTests {
    @Test("R-15: SDP is taken by whoever names it, a wildcard, or nothing at all")
    func accept() {
        #expect(AcceptHeader.allows("application/sdp", in: [:]))
        for value in [
            "application/sdp", "text/plain, Application/SDP;level=1", "*/*", "application/*",
            "application/rtsl, */*;q=0.1",
        ] { #expect(AcceptHeader.allows("application/sdp", in: ["Accept": value]), "\(value)") }
        for value in ["application/rtsl", "text/*", "", "application/sdp;q=0", "application/sdpx"] {
            #expect(!AcceptHeader.allows("application/sdp", in: ["Accept": value]), "\(value)")
        }
    }
}

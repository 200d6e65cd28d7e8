// How messages are printed.

import RTSPCore
import Testing

@Suite struct RTSPEncodingTests {
    @Test("A request is its line, its fields in order, Content-Length as the body has it, and the body")
    func request() {
        let request = RTSPRequest(
            .setParameter, "rtsp://node/cam", headers: ["CSeq": "3", "Content-Length": "999", "X": "y"],
            body: Array("a: b".utf8))
        #expect(
            String(decoding: request.encoded, as: UTF8.self)
                == "SET_PARAMETER rtsp://node/cam RTSP/1.0\r\nCSeq: 3\r\nContent-Length: 4\r\nX: y\r\n\r\na: b")
    }

    @Test("A response without a body has no Content-Length")
    func response() {
        let response = RTSPResponse(.sessionNotFound, headers: ["CSeq": "3"])
        #expect(
            String(decoding: response.encoded, as: UTF8.self) == "RTSP/1.0 454 Session Not Found\r\nCSeq: 3\r\n\r\n")
    }

    @Test("No value can end its line and add another")
    func injection() {
        let response = RTSPResponse(.ok, headers: ["CSeq": "3\r\nSession: 1", "A\n": "\u{0}"])
        #expect(
            String(decoding: response.encoded, as: UTF8.self)
                == "RTSP/1.0 200 OK\r\nCSeq: 3  Session: 1\r\nA :  \r\n\r\n")
    }
}

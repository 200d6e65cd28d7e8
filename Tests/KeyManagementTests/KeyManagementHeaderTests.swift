// MIKEY in descriptions and in headers.

import SRTPKeys
import Testing

@testable import KeyManagement

@Suite("MIKEY: in SDP and RTSP")
struct KeyManagementHeaderTests {
    @Test("a=key-mgmt as gst-rtsp-server writes it")
    func attribute() throws {
        let message = try KeyManagementAttribute.message(in: "mikey " + MIKEYMessageTests.server)
        #expect(KeyManagementAttribute.value(message) == "mikey " + MIKEYMessageTests.server)
        #expect(try KeyManagementAttribute.message(in: "MIKEY\t\(MIKEYMessageTests.server)") == message)
        #expect(reason { _ = try KeyManagementAttribute.message(in: "other QUJD") } == .unsupported)
        for value in ["", "mikey", "mikey AQAF", "mikey AQAF x"] {
            #expect(reason { _ = try KeyManagementAttribute.message(in: value) } == .malformed, "\(value)")
        }
    }

    @Test("KeyMgmt as rtspsrc writes it")
    func header() throws {
        let uri = "rtsp://127.0.0.1:18601/cam/stream=0"
        let value = "prot=mikey;uri=\"\(uri)\";data=\"\(MIKEYMessageTests.client)\""
        let headers = try KeyManagementHeader.parse(value)
        #expect(headers.count == 1 && headers[0].uri == uri && headers[0].value == value)
        #expect(headers[0].message.base64 == MIKEYMessageTests.client)
    }

    @Test("KeyMgmt with spaces, without quotation marks, several of them, and others between")
    func variants() throws {
        let data = MIKEYMessageTests.client
        let headers = try KeyManagementHeader.parse(
            "prot = other; data=\"a,b;c\" , prot=MIKEY ; data=\(data); uri=\"rtsp://a/b,c;d\", prot=mikey;data=\"\(data)\""
        )
        #expect(headers.map(\.uri) == ["rtsp://a/b,c;d", nil])
        #expect(headers[1].value == "prot=mikey;data=\"\(data)\"")
        #expect(reason { _ = try KeyManagementHeader.parse("") } == .unsupported)
        #expect(reason { _ = try KeyManagementHeader.parse("prot=other;data=\"QUJD\"") } == .unsupported)
        #expect(reason { _ = try KeyManagementHeader.parse("prot=mikey") } == .malformed)
        #expect(reason { _ = try KeyManagementHeader.parse("prot=mikey;data=\"AQAF\"") } == .malformed)
    }
}

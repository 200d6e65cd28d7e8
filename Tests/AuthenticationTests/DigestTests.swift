// The sums, against the examples of the RFCs.

@testable import Authentication
import Testing

@Suite("Authentication: sums")
struct DigestTests {
    @Test(
        "A-02: the example of RFC 7616 section 3.9.1",
        arguments: [
            (DigestAlgorithm.md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (.sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ])
    func rfc7616(algorithm: DigestAlgorithm, response: String) {
        let computation = DigestComputation(
            algorithm: algorithm, nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            protection: .init(
                name: "auth", nonceCount: "00000001", clientNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
            method: "GET", uri: "/dir/index.html")
        let secret = DigestComputation.secret(
            user: "Mufasa", realm: "http-auth@example.org", password: "Circle of Life", algorithm: algorithm)
        #expect(computation.response(secret: secret) == response)
    }

    @Test("A-02: the example of RFC 2617 section 3.5")
    func rfc2617() {
        let secret = DigestComputation.secret(
            user: "Mufasa", realm: "testrealm@host.com", password: "Circle Of Life", algorithm: .md5)
        #expect(secret == "939e7578ed9e3c518a452acee763bce9")
        var computation = DigestComputation(
            algorithm: .md5, nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            protection: .init(name: "auth", nonceCount: "00000001", clientNonce: "0a4f113b"), method: "GET",
            uri: "/dir/index.html")
        #expect(computation.response(secret: secret) == "6629fae49393a05397450978507c4ef1")
        // The old form, the hash of secret, nonce and H(method:uri), which is 39aff3a2bab6126f332b942af96d3366.
        computation.protection = nil
        let old = "\(secret):dcd98b7102dd2f0e8b11d0f600bfb0c093:39aff3a2bab6126f332b942af96d3366"
        #expect(computation.response(secret: secret) == DigestAlgorithm.md5.hash(old))
    }

    @Test("The body counts for auth-int, the client's nonce for -sess")
    func variants() {
        func response(_ change: (inout DigestComputation) -> Void) -> String {
            var computation = DigestComputation(
                algorithm: .sha256, nonce: "n",
                protection: .init(name: "auth", nonceCount: "00000001", clientNonce: "c"),
                method: "SETUP", uri: "u")
            change(&computation)
            return computation.response(secret: "s")
        }
        let hash: (String) -> String = { DigestAlgorithm.sha256.hash($0) }
        let request = hash("SETUP:u:" + hash("body"))
        #expect(
            response { computation in
                computation.protection?.name = "auth-int"
                computation.body = Array("body".utf8)
            } == hash("s:n:00000001:c:auth-int:\(request)"))
        #expect(
            response { $0.isSession = true } == hash("\(hash("s:n:c")):n:00000001:c:auth:\(hash("SETUP:u"))"))
        #expect(response { $0.body = [1] } == response { _ in })
    }

    @Test("Comparison ignores case and finds every difference")
    func comparison() {
        #expect(Hexadecimal.isEqual("0aF", "0Af") && Hexadecimal.isEqual("", ""))
        #expect(!Hexadecimal.isEqual("0a", "0b") && !Hexadecimal.isEqual("0a", "0a0") && !Hexadecimal.isEqual("@", "`"))
        #expect(Hexadecimal.bytes("0aFf") == [0x0a, 0xff] && Hexadecimal.text([0x0a, 0xff] as [UInt8]) == "0aff")
        for text in ["0", "0g", "²0", "+1", "0x"] { #expect(Hexadecimal.bytes(text) == nil, "\(text)") }
    }

    @Test("No difference between two texts is undone by what comes after it")
    func differences() {
        let texts = (UInt8.min ... .max).map { Hexadecimal.text([$0]) }
        for text in texts { #expect(texts.filter { Hexadecimal.isEqual(text, $0) } == [text]) }
    }

    @Test(
        "A-03: URIs that name the same thing",
        arguments: [
            ("rtsp://h:8554/a", "rtsp://H:8554/a/", true), ("/a", "rtsp://h/a", true), ("rtsp://h/a", "/a/", true),
            ("rtsp://h", "/", true), ("*", "*", true), ("rtsp://other/a", "rtsp://h/a", false), ("/a", "/b", false),
            ("/a?x=1", "/a", false), ("/A", "/a", false), ("sip:bob@h", "sip:bob@h", true),
            ("sip:eve@h", "sip:bob@h", false),
        ])
    func uris(uri: String, request: String, isAccepted: Bool) {
        #expect(DigestURI.isAccepted(uri, among: ["/none", request]) == isAccepted)
    }
}

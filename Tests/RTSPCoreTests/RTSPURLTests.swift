// URLs: parts, forms of hosts, credentials, paths that try to climb, control URLs.

import RTPWire
import Testing

@testable import RTSPCore

@Suite struct RTSPURLTests {
    @Test("R-43: hosts are names, IPv4 and IPv6 literals, the latter with a zone, with and without a TCP port")
    func hosts() throws {
        let v6 = try #require(IPAddress("2001:db8::1"))
        let link = try #require(IPAddress("fe80::7"))
        let cases: [(String, RTSPURL.Host, UInt16?)] = [
            ("rtsp://[2001:db8::1]:8554/x", .address(v6), 8554),
            ("rtsp://[2001:db8::1]/x", .address(v6), nil),
            ("rtsp://[fe80::7%25eth0]/x", .address(link, zone: "eth0"), nil),
            ("RTSP://[fe80::7%eth0]:554/x", .address(link, zone: "eth0"), 554),
            ("rtsp://10.1.0.7:8554/x", .address(IPAddress(10, 1, 0, 7)), 8554),
            ("rtsp://cam-7.studio:/x", .name("cam-7.studio"), nil),
        ]
        for (text, host, port) in cases {
            let url = try #require(RTSPURL(text), "\(text)")
            #expect(url.host == host)
            #expect(url.tcpPort == port)
            #expect(url.path == "/x")
            #expect(RTSPURL(url.description) == url)
        }
        #expect(RTSPURL("rtsps://a/")?.effectiveTCPPort == 322)
        #expect(RTSPURL("rtsp://a/")?.effectiveTCPPort == 554)
    }

    @Test(
        "What is no URL is refused",
        arguments: [
            "", "*", "/cam", "http://a/b", "rtsp:/a", "rtsp://", "rtsp:///x", "rtsp://[::1/x", "rtsp://[::1]x/",
            "rtsp://a:0/", "rtsp://a:65536/", "rtsp://a:-1/", "rtsp://a:5x/", "rtsp://010.1.1.1/", "rtsp://10.1/",
            "rtsp://a b/", "rtsp://[10.1.0.7]/", "rtsp://[fe80::1%]/", "rtsp://a/\u{7f}", "rtsp://a/\r\nX: y",
            "rtsp://a/%", "rtsp://a/%2", "rtsp://a/%zz", "rtsp://a/%00", "rtsp://a/%ff", "rtsp://u%@a/",
        ])
    func refused(text: String) {
        #expect(RTSPURL(text) == nil)
    }

    @Test("F-14: credentials are kept apart and never printed")
    func credentials() throws {
        let url = try #require(RTSPURL("rtsp://op%40x:p@ss%3Aw@cam:554/a?u=1"))
        #expect(url.user == "op@x")
        #expect(url.password == "p@ss:w")
        #expect(url.description == "rtsp://cam:554/a?u=1")
        #expect("\(url)" == url.description)
        #expect(RTSPURL("rtsp://op@cam/")?.password == nil)
        #expect(RTSPURL("rtsp://op:@cam/")?.password == "")
        #expect(url.resolving(control: "x")?.user == nil)
    }

    @Test("F-14: paths are decoded once and never climb above their root")
    func paths() throws {
        let cases = [
            ("", "/"), ("/", "/"), ("/a/b/", "/a/b"), ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("//a//b", "/a/b"),
            ("/%61/b", "/a/b"), ("/a%2fb", "/a/b"), ("/%2561", "/%61"), ("/a/%2e%2e/b", "/b"), ("/a%2F../b", "/b"),
        ]
        for (path, expected) in cases {
            #expect(RTSPURL("rtsp://h\(path)")?.routingPath == expected, "\(path)")
        }
        for path in ["/..", "/a/../..", "/%2e%2e", "/a/%2e./%2E%2E/x", "/a%2f..%2f..%2fx"] {
            #expect(RTSPURL("rtsp://h\(path)") == nil, "\(path)")
        }
    }

    @Test("R-16: Content-Base is before Content-Location, and that before the request's URL")
    func base() throws {
        let request = try #require(RTSPURL("rtsp://u:p@cam/a"))
        func base(_ headers: RTSPHeaders) -> String { RTSPURL.base(of: headers, request: request).description }
        #expect(base([:]) == "rtsp://cam/a")
        #expect(base(["Content-Location": "rtsp://cam/l"]) == "rtsp://cam/l")
        #expect(base(["Content-Location": "rtsp://cam/l", "content-base": "rtsp://cam/b/"]) == "rtsp://cam/b/")
        #expect(base(["Content-Base": "nonsense://x"]) == "rtsp://cam/a")
    }

    @Test("R-16: control URLs are absolute, relative, or the base itself")
    func controls() throws {
        let cases: [(String, String?, String?)] = [
            ("rtsp://cam/a/", "*", "rtsp://cam/a/"),
            ("rtsp://cam/a", nil, "rtsp://cam/a"),
            ("rtsp://cam/a", "", "rtsp://cam/a"),
            ("rtsp://cam/a/", "trackID=0", "rtsp://cam/a/trackID=0"),
            ("rtsp://cam/a", "trackID=0", "rtsp://cam/a/trackID=0"),
            ("rtsp://cam/a/", "/trackID=0", "rtsp://cam/a/trackID=0"),
            ("rtsp://cam/a", "video?Axis-Orig-Sw=true", "rtsp://cam/a/video?Axis-Orig-Sw=true"),
            ("rtsp://cam/a?b=c", "trackID=0", "rtsp://cam/a?b=c/trackID=0"),
            ("rtsp://cam/a", "?ctype=video", "rtsp://cam/a?ctype=video"),
            ("rtsp://cam/a/", "?ctype=video", "rtsp://cam/a?ctype=video"),
            ("rtsp://cam/a", "rtsp://u:p@10.0.0.1/t1", "rtsp://10.0.0.1/t1"),
            ("rtsp://cam/a", "http://10.0.0.1/t1", nil),
        ]
        for (base, control, expected) in cases {
            #expect(try #require(RTSPURL(base)).resolving(control: control)?.description == expected)
        }
    }

    @Test(
        "R-17: both ways to write a stream's URL resolve",
        arguments: [
            ("/path/streamid=0", "/path"), ("/path/streamid=0/", "/path"), ("/streamid=0", ""),
            ("/path/sub/streamid=0", "/path/sub"), ("/path?q=1/streamid=0", "/path?q=1"),
            ("/path/?q=1/streamid=0", "/path/?q=1"), ("/path/streamid=0?q=1", "/path?q=1"),
            ("/path/streamid=0/?q=1", "/path?q=1"), ("/path?q=1&r=/x/streamid=0", "/path?q=1&r=/x"),
            ("/path?/streamid=0", "/path"), ("/path//streamid=0", "/path/"),
        ])
    func streamURLs(location: String, presentation: String) throws {
        let url = try #require(RTSPURL("rtsp://u@node:8554\(location)"))
        let split = try #require(url.splittingControl { $0.hasPrefix("streamid=") })
        #expect(split.control == "streamid=0")
        #expect(split.presentation.location == presentation)
        #expect(split.presentation.authority == "node:8554")
    }

    @Test("R-17: a presentation's URL is no stream's")
    func noStream() {
        for location in ["", "/", "/path", "/path?streamid=0", "/streamid=0/path"] {
            #expect(RTSPURL("rtsp://node\(location)")?.splittingControl { $0.hasPrefix("streamid=") } == nil)
        }
    }
}

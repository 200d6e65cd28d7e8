// Routes, and what their upstreams become.

import Testing

@testable import RTSPProxy

@Suite("F-14: routes match paths") struct RouteMatcherTests {
    private func match(_ match: RTSPRoute.Match, _ path: String, upstream: String = "rtsp://camera/live") throws
        -> String?
    {
        let route = RTSPRoute(name: "r", match: match, source: .upstream(upstream))
        guard case .found(let url) = try RouteMatcher(route).match(PathName(path: path)) else { return nil }
        return url
    }

    @Test("A path matches itself only")
    func path() throws {
        #expect(try match(.path("/cam1"), "/cam1") == "rtsp://camera/live")
        #expect(try match(.path("/cam1"), "/cam1/x") == nil)
        #expect(try match(.path("/cam1"), "/cam") == nil)
    }

    @Test(
        "A prefix matches whole segments, and what follows is added to the upstream",
        arguments: [
            ("/studio", "/studio", "rtsp://camera/live"), ("/studio", "/studio/a b", "rtsp://camera/live/a%20b"),
            ("/studio/", "/studio/1", "rtsp://camera/live/1"), ("/", "/any/thing", "rtsp://camera/live/any/thing"),
        ])
    func prefix(prefix: String, path: String, upstream: String) throws {
        #expect(try match(.prefix(prefix), path) == upstream)
    }

    @Test("A prefix does not match half a segment")
    func half() throws { #expect(try match(.prefix("/studio"), "/studio2") == nil) }

    @Test("An expression matches the whole path, and its groups stand in the upstream")
    func expression() throws {
        let upstream = "rtsp://camera$1.studio/$2?fee=$3$"
        #expect(
            try match(.expression(#"/cam(\d+)/(.*)"#), "/cam7/low?", upstream: upstream)
                == "rtsp://camera7.studio/low%3F?fee=$3$")
        #expect(try match(.expression(#"/cam(\d+)"#), "/x/cam7") == nil)
    }

    @Test("What follows a prefix goes into the path, before a query")
    func prefixAndQuery() throws {
        #expect(
            try match(.prefix("/studio"), "/studio/1?x", upstream: "rtsp://camera/live/?low=1")
                == "rtsp://camera/live/1%3Fx?low=1")
        #expect(
            try match(.prefix("/studio"), "/studio/@10.0.0.1/", upstream: "rtsp://camera") == "rtsp://camera/@10.0.0.1/"
        )
    }

    @Test(
        "A group chooses no more of user, host and TCP port than a label: delimiters of the authority are refused",
        arguments: [
            "9@10.66.0.200:8554", "9:8554", "9/x", "9?x", "9#x", "9%41", "[9]", "9.evil.example", "9\\x", "9 ",
            "9\u{7f}", "é", "",
        ])
    func authority(text: String) throws {
        for upstream in [
            "rtsp://viewer:secret@10.67.0.$1/main", "rtsp://viewer:secret@$1.studio:554", "rtsp://v:$1@camera",
            "rtsp://$1:secret@camera/main", "rtsp://camera$1",
        ] {
            let route = RTSPRoute(name: "r", match: .expression("/gal/((?s).*)"), source: .upstream(upstream))
            #expect(try RouteMatcher(route).match(PathName(path: "/gal/" + text)) == .refused, "\(upstream) \(text)")
        }
    }

    @Test("A group that is the whole host may be a name or an IPv4 address, and nothing else")
    func wholeHost() throws {
        for (text, host) in [("node-7.studio", "node-7.studio"), ("10.1.0.7", "10.1.0.7"), ("a@b", nil), ("a:1", nil)] {
            for rest in ["/main", ":8554/main"] {
                #expect(
                    try match(.expression("/n/(.*)"), "/n/" + text, upstream: "rtsp://u:p@$1" + rest)
                        == host.map { "rtsp://u:p@" + $0 + rest })
            }
        }
    }

    @Test("A group in the path climbs nowhere, and one in the query adds no parameter")
    func pathAndQuery() throws {
        #expect(try match(.expression("/x(.*)y"), "/x..y", upstream: "rtsp://camera/live/$1") == nil)
        #expect(try match(.expression("/x(.*)y"), "/x.y", upstream: "rtsp://camera/live/$1") == nil)
        #expect(
            try match(.expression("/x(.*)y"), "/xa/b@y", upstream: "rtsp://camera/live/$1") == "rtsp://camera/live/a/b@"
        )
        #expect(
            try match(.expression("/x(.*)y"), "/xa&b=c+#y", upstream: "rtsp://camera/?q=$1")
                == "rtsp://camera/?q=a%26b%3Dc%2B%23")
    }

    @Test("A bad expression is refused with its route's name")
    func bad() {
        #expect(throws: RTSPRouteError.self) { try match(.expression("/cam("), "/cam") }
    }

    @Test(
        "C-15: the query of a request goes to the upstream of a prefix or an expression, behind the template's own",
        arguments: [
            (
                "channel=1&subtype=0", "rtsp://camera/cam/realmonitor",
                "rtsp://camera/cam/realmonitor?channel=1&subtype=0"
            ),
            ("channel=2", "rtsp://camera/cam/realmonitor?key=7", "rtsp://camera/cam/realmonitor?key=7&channel=2"),
            ("a=%20b", "rtsp://camera/cam/realmonitor", "rtsp://camera/cam/realmonitor?a=%20b"),
            ("a= b#c", "rtsp://camera/cam/realmonitor", "rtsp://camera/cam/realmonitor?a=%20b%23c"),
            (nil, "rtsp://camera/cam/realmonitor?key=7", "rtsp://camera/cam/realmonitor?key=7"),
        ] as [(String?, String, String)])
    func queries(_ query: String?, _ upstream: String, _ expected: String) throws {
        let expression = RTSPRoute(name: "r", match: .expression("/x/(.*)"), source: .upstream(upstream))
        #expect(
            try RouteMatcher(expression).match(PathName(path: "/x/y", query: query)) == .found(upstream: expected))
        let parts = upstream.split(separator: "?", maxSplits: 1)
        let base = "rtsp://camera/cam" + (parts.count == 2 ? "?\(parts[1])" : "")
        let prefix = RTSPRoute(name: "r", match: .prefix("/x"), source: .upstream(base))
        #expect(
            try RouteMatcher(prefix).match(PathName(path: "/x/realmonitor", query: query)) == .found(upstream: expected)
        )
    }

    @Test("A path's name is read as it was written, whatever it has in it")
    func names() {
        for path in ["/", "/a", "/a?b", "/a%3Fb", "/100%", "/%25", "/a?b%3Fc"] {
            for query in [nil, "x=1", "x=1?y=%3F"] {
                let name = PathName(path: path, query: query)
                #expect(PathName(text: name.text) == name)
            }
        }
        #expect(PathName(path: "/a?b").text != PathName(path: "/a", query: "b").text)
        #expect(PathName(path: "/cam").text == "/cam")
    }
}

// Routes, and what their upstreams become.

import Testing

@testable import RTSPProxy

@Suite("F-14: routes match paths") struct RouteMatcherTests {
    private func match(_ match: RTSPRoute.Match, _ path: String, upstream: String = "rtsp://camera/live") throws
        -> String?
    {
        let route = RTSPRoute(name: "r", match: match, source: .upstream(upstream))
        guard case .found(let url) = try RouteMatcher(route).match(path) else { return nil }
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
            #expect(try RouteMatcher(route).match("/gal/" + text) == .refused, "\(upstream) \(text)")
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
}

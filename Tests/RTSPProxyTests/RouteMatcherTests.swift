// Routes, and what their upstreams become.

import Testing

@testable import RTSPProxy

@Suite("F-14: routes match paths") struct RouteMatcherTests {
    private func match(_ match: RTSPRoute.Match, _ path: String, upstream: String = "rtsp://camera/live") throws
        -> String??
    {
        try RouteMatcher(RTSPRoute(name: "r", match: match, source: .upstream(upstream)))
            .match(path, source: .upstream(upstream))
    }

    @Test("A path matches itself only")
    func path() throws {
        #expect(try match(.path("/cam1"), "/cam1") == .some("rtsp://camera/live"))
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
        #expect(try match(.prefix(prefix), path) == .some(upstream))
    }

    @Test("A prefix does not match half a segment")
    func half() throws { #expect(try match(.prefix("/studio"), "/studio2") == nil) }

    @Test("An expression matches the whole path, and its groups stand in the upstream")
    func expression() throws {
        let upstream = "rtsp://camera$1.studio/$2?fee=$3$"
        #expect(
            try match(.expression(#"/cam(\d+)/(.*)"#), "/cam7/low?", upstream: upstream)
                == .some("rtsp://camera7.studio/low%3F?fee=$3$"))
        #expect(try match(.expression(#"/cam(\d+)"#), "/x/cam7") == nil)
    }

    @Test("A bad expression is refused with its route's name")
    func bad() {
        #expect(throws: RTSPRouteError.self) { try match(.expression("/cam("), "/cam") }
    }
}

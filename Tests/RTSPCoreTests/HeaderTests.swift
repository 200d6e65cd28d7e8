// Session, RTP-Info, Range and method lists.

import Testing

@testable import RTSPCore

@Suite struct HeaderTests {
    @Test("R-32: a session's id comes with white space and parameters, and without control characters")
    func session() throws {
        #expect(SessionHeader("abc; timeout=60")?.timeout == 60)
        #expect(SessionHeader("  abc ;Timeout = 30;x=y")?.id == "abc")
        #expect(SessionHeader("abc;timeout=0")?.timeout == nil)
        #expect(SessionHeader("abc;timeout=never")?.timeout == nil)
        #expect(SessionHeader("a-b$c_d.e+f").map(\.description) == "a-b$c_d.e+f")
        #expect(SessionHeader("abc", timeout: 60).description == "abc;timeout=60")
        for bad in ["", " ;timeout=60", "a b", "a\u{0}b", String(repeating: "x", count: 257)] {
            #expect(SessionHeader(bad) == nil)
        }
    }

    @Test(
        "F-05: RTP-Info's URLs hold semicolons, commas, spaces, and are relative",
        arguments: [
            ("url=rtsp://c/a/t=0;seq=5;rtptime=9", ["rtsp://c/a/t=0"]),
            ("url=rtsp://c/a;b,c d/t=0;seq=5;rtptime=9", ["rtsp://c/a;b,c d/t=0"]),
            ("url=t=0;seq=5;rtptime=9, url=t=1;seq=6;rtptime=10", ["t=0", "t=1"]),
            (
                "url=rtsp://c/a,b;seq=5;rtptime=9,URL=rtsp://c/a,b;c;rtptime=10;seq=6",
                ["rtsp://c/a,b", "rtsp://c/a,b;c"]
            ),
            ("seq=5;rtptime=9;url=rtsp://c/a", ["rtsp://c/a"]),
            ("url=\"rtsp://c/a\" ; seq = 5 ; rtptime = 9 ;", ["rtsp://c/a"]),
            ("rtsp://c/a;seq=5;rtptime=9", ["rtsp://c/a"]),
        ])
    func rtpInfo(text: String, urls: [String]) {
        let streams = RTPInfoHeader(text).streams
        #expect(streams.map(\.url) == urls)
        #expect(streams[0].sequence == 5)
        #expect(streams[0].timestamp == 9)
    }

    @Test("F-05: numbers that are no numbers are not known, and what is not known is not printed")
    func rtpInfoNumbers() {
        let info = RTPInfoHeader("url=a;seq=70000;rtptime=-1,url=b;seq=;rtptime=4294967295")
        #expect(info.streams == [.init(url: "a"), .init(url: "b", timestamp: .max)])
        #expect(info.description == "url=a,url=b;rtptime=4294967295")
        #expect(RTPInfoHeader("").streams.isEmpty)
        #expect(RTPInfoHeader("url=;seq=1").streams.isEmpty)
        #expect(RTPInfoHeader(Array(repeating: "url=a", count: 100).joined(separator: ",")).streams.count == 64)
    }

    @Test(
        "F-05: what is printed is read again, and equal, whatever stands in quotation marks or combines",
        arguments: [
            "url=\"\"x\"\"", "url=\"a;seq=1;\"", "url=\"a;rtptime=2\";seq=3", "url=\u{301}a;seq=1",
            "url=a,\u{301}url=b",
            "url=a;\u{301}seq=1", "url=url=a,url=b",
        ])
    func rtpInfoPrinted(text: String) {
        let info = RTPInfoHeader(text)
        #expect(!info.streams.isEmpty)
        #expect(RTPInfoHeader(info.description) == info)
    }

    @Test(
        "R-33: ranges of all three units",
        arguments: [
            ("npt=now-", RangeHeader.live), ("npt= 0 - ", RangeHeader(.npt(.nanoseconds(0), nil))),
            ("npt=-20", RangeHeader(.npt(nil, .nanoseconds(20_000_000_000)))),
            ("npt=12:05:35.3-", RangeHeader(.npt(.nanoseconds(43_535_300_000_000), nil))),
            ("smpte=10:12:33:20-", RangeHeader(.smpte(type: "smpte", "10:12:33:20", nil))),
            (
                "smpte-25=10:07:00-10:07:33:05.01",
                RangeHeader(.smpte(type: "smpte-25", "10:07:00", "10:07:33:05.01"))
            ),
            (
                "clock=19961108T143720.25Z-;time=19970123T143720Z",
                RangeHeader(.clock("19961108T143720.25Z", nil), time: "19970123T143720Z")
            ),
        ])
    func ranges(text: String, expected: RangeHeader) {
        #expect(RangeHeader(text) == expected)
        #expect(RangeHeader(expected.description) == expected)
    }

    @Test(
        "R-33: a range that is not understood is nothing, for a 457",
        arguments: [
            "", "npt", "npt=", "npt=-", "npt=x-", "npt=1", "npt=1:2-", "npt=0:60:00-", "npt=1.x-", "bytes=0-1",
            "smpte=1:2-", "clock=1996-", "clock=19961108T143720-", "npt=0-;time=x", "npt=99999999999999999999-",
        ])
    func badRanges(text: String) {
        #expect(RangeHeader(text) == nil)
    }

    @Test("Play times are printed as decimal seconds")
    func playTimes() {
        #expect(RangeHeader("npt=1:00:00.5-7200")?.description == "npt=3600.500-7200.000")
    }

    @Test("R-12: lists of methods, whatever their separators and fields")
    func methods() throws {
        let headers: RTSPHeaders = ["Public": "OPTIONS,DESCRIBE, setup", "public": "X-PING GET_PARAMETER"]
        let list = try #require(MethodList(headers, "Public"))
        #expect(list.methods == [.options, .describe, .setup, .other("X-PING"), .getParameter])
        #expect(list.description == "OPTIONS, DESCRIBE, SETUP, X-PING, GET_PARAMETER")
        #expect(MethodList(headers, "Allow") == nil)
        let combining = try #require(MethodList(["Public": "SETUP,\u{301}PLAY,TEARDOWN"], "Public"))
        #expect(combining.methods == [.setup, .other("\u{301}PLAY"), .teardown])
    }
}

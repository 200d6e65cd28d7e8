// Answers of a live source to Range, Scale and Speed.

/// The part of a PLAY that is about time, for sources that have only the present.
public enum LiveRange {
    /// The fields of the response (RFC 2326 sections 12.29, 12.34 and 12.35): what is really played, which is from now on at the
    /// speed of the source, whatever point of normal play time was asked for. Refused are other units (501), and what cannot be
    /// read (457).
    public static func answer(to headers: RTSPHeaders) throws(RTSPRefusal) -> RTSPHeaders {
        var answer: RTSPHeaders = ["Range": RangeHeader.live.description]
        if let text = headers["Range"] {
            guard text.contains("=") else { throw RTSPRefusal(.invalidRange, "Range has no unit") }
            let unit = HeaderText.lowercased(HeaderText.trim(text.prefix { $0 != "=" && $0 != ";" }))
            guard unit == "npt" else {
                throw RTSPRefusal(.notImplemented, "Range in '\(unit.prefix(32))'; a live source has npt only")
            }
            guard RangeHeader(text) != nil else { throw RTSPRefusal(.invalidRange, "Range cannot be read") }
        }
        for name in ["Scale", "Speed"] where headers[name] != nil { answer[name] = "1.0" }
        return answer
    }
}

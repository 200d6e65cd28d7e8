// From a presentation's URL to its streams' and back.

extension RTSPURL {
    /// The URL that relative control URLs are relative to (RFC 2326 section C.1.1): Content-Base, else Content-Location, else the
    /// request's URL. A field that is neither an absolute URL nor an absolute path counts as missing: some cameras leave out the scheme.
    public static func base(of headers: RTSPHeaders, request: RTSPURL) -> RTSPURL {
        for name in ["Content-Base", "Content-Location"] {
            guard let value = headers[name] else { continue }
            if let url = RTSPURL(lenient: value) { return url.withoutCredentials }
            if value.hasPrefix("/"), let url = request.sibling(value) { return url }
        }
        return request.withoutCredentials
    }

    /// Reads an absolute URL as cameras write them: between quotation marks or angle brackets, and with its scheme twice.
    init?(lenient text: some StringProtocol) {
        var rest = HeaderText.trim(Substring(text))
        for (first, last) in [("\"", "\""), ("<", ">")] where rest.hasPrefix(first) && rest.hasSuffix(last) {
            rest = HeaderText.trim(rest.dropFirst().dropLast())
        }
        while let separator = rest.firstRange(of: "://"), Self.beginsWithScheme(rest[separator.upperBound...]) {
            rest = rest[separator.upperBound...]
        }
        self.init(rest)
    }

    private static func beginsWithScheme(_ text: Substring) -> Bool {
        let text = HeaderText.lowercased(text.prefix(9))
        return ["rtsp://", "rtsps://", "rtspu://"].contains { text.hasPrefix($0) }
    }

    /// Another path on the same host and TCP port.
    func sibling(_ location: String) -> RTSPURL? { RTSPURL("\(scheme.rawValue)://\(authority)\(location)") }

    /// The URL that an `a=control` of `control` means with this URL as the base: `*` and a missing attribute are the base itself
    /// (RFC 2326 sections C.1.1 and C.3), an absolute URL is itself. Nil for a text that is not a URL.
    ///
    /// A relative one is appended to the whole text of the base, its query included, after one `/`: not what RFC 1808 says for a base
    /// without a `/` at its end, but what cameras expect, since every widespread player does so.
    public func resolving(control: String?) -> RTSPURL? {
        let control = HeaderText.trim((control ?? "*")[...])
        guard !control.isEmpty, control != "*" else { return withoutCredentials }
        if control.contains("://") { return RTSPURL(lenient: control)?.withoutCredentials }
        var text = description
        switch (text.utf8.last == UInt8(ascii: "/"), control.first) {
        case (true, "/"?), (true, "?"?): text.removeLast()
        case (false, "/"?), (false, "?"?), (true, _): break
        case (false, _): text += "/"
        }
        return RTSPURL(text + control)
    }

    /// Splits a stream's URL into the presentation's and the stream's control, if `isControl` knows the last part of the query
    /// (`/path?query/streamid=0`, as one widespread player writes it) or of the path (`/path/streamid=0?query`, as another does).
    public func splittingControl(where isControl: (String) -> Bool) -> (presentation: RTSPURL, control: String)? {
        var url = withoutCredentials
        if let query, let (head, tail) = Self.split(query), isControl(tail) {
            url.query = head.isEmpty ? nil : head
            return (url, tail)
        }
        if let (head, tail) = Self.split(path), isControl(tail) {
            url.path = head
            return (url, tail)
        }
        return nil
    }

    /// The parts before and after the last `/`, not counting any at the end.
    private static func split(_ text: String) -> (String, String)? {
        var text = text[...]
        while text.utf8.last == UInt8(ascii: "/") { text.removeLast() }
        guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        return (String(text[..<slash]), String(text[text.utf8.index(after: slash)...]))
    }
}

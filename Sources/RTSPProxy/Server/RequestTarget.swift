// The path and the stream that a request's URL names.

import RTSPCore

/// The names of streams in control URLs at this node.
enum StreamControl {
    /// `streamid=0`: what a stream's control URL ends with.
    static func name(_ index: Int) -> String { "streamid=\(index)" }

    /// The stream that a part of a URL names; nil for anything else.
    static func index(_ text: String) -> Int? {
        guard text.hasPrefix("streamid="), let index = Int(text.dropFirst(9)), name(index) == text else { return nil }
        return index
    }
}

/// A request's URL, taken apart: players append a stream's control to the path, or to the query (RFC 2326 section C.1.1).
struct RequestTarget {
    /// The presentation's URL as the player names it.
    let presentation: RTSPURL
    /// The path that it is routed by, with its query.
    let name: PathName
    /// The stream; nil for the presentation as a whole.
    let stream: Int?
    /// The URL itself, without credentials.
    let url: RTSPURL

    /// Takes a player's URL apart; 400 where it is none.
    init(_ uri: String) throws(RTSPRefusal) {
        guard let url = RTSPURL(uri)?.withoutCredentials else {
            throw RTSPRefusal(.badRequest, "the request's URI is no RTSP URL")
        }
        let parts = url.splittingControl { StreamControl.index($0) != nil }
        self.init(
            url: url, presentation: parts?.presentation ?? url,
            stream: parts.flatMap { StreamControl.index($0.control) })
    }

    init(url: RTSPURL, presentation: RTSPURL, stream: Int?) {
        self.url = url
        self.presentation = presentation
        self.stream = stream
        name = PathName(path: presentation.routingPath, query: presentation.query)
    }

    /// True where the request is for the path of that name: with its query or, as some players name it later, without.
    func isFor(_ path: String) -> Bool {
        let known = PathName(text: path)
        return known == name || known == name.withoutQuery || name.query == nil && known.withoutQuery == name
    }

    /// The target that it names of a session.
    var inSession: ServerSession.Target { stream.map { .stream($0) } ?? .presentation }

    /// The base of the description's control URLs: by the authority that the player used, and with `/` at its end, so that
    /// every player appends in the same way.
    var contentBase: String {
        let text = presentation.description
        return text.hasSuffix("/") ? text : text + "/"
    }
}

// The name of a path: the decoded path of a URL, and the query where a route passes it on.

/// The identity of a path that players ask for. Two queries are two paths where a route's upstream gets them: `?channel=1` and `?channel=2`
/// are two pictures (RFC 3986 section 3.4).
struct PathName: Hashable {
    /// The decoded path without dot segments.
    var path: String
    /// The query as it was written; nil where there is none.
    var query: String?

    init(path: String, query: String? = nil) {
        self.path = path
        // Players append a slash to the whole of a base.
        let query = query.map { $0.reversed().drop { $0 == "/" }.reversed() }
        self.query = query.flatMap { $0.isEmpty ? nil : String($0) }
    }

    /// Reads what `text` writes.
    init(text: String) {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts[0]).replacing("%3F", with: "?").replacing("%25", with: "%")
        query = parts.count == 2 ? String(parts[1]) : nil
    }

    /// The name as a text, which distinguishes a question mark of the path from the query's.
    var text: String {
        let path = path.replacing("%", with: "%25").replacing("?", with: "%3F")
        return query.map { "\(path)?\($0)" } ?? path
    }

    /// The same path without a query.
    var withoutQuery: PathName { PathName(path: path) }
}

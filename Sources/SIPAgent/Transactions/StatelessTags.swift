// Tags of answers that nothing is remembered of.

import SIPCore

/// Tags for To that are the same whenever a request comes again (RFC 3261 section 8.2.7), and that nobody outside can compute.
struct StatelessTags: Sendable {
    private let secret: [UInt64] = (0..<2).map { _ in UInt64.random(in: .min ... .max) }

    func tag(for request: SIPRequest) -> String {
        tag(of: [
            request.vias.first?.branch ?? request.vias.first?.description ?? "", request.callID, request.from.tag ?? "",
            request.cseq.description, request.uri.description,
        ])
    }

    /// The tag of the answer to what cannot be read.
    func tag(for error: SIPParseError) -> String { tag(of: error.reply?.fields.map(\.value) ?? []) }

    private func tag(of texts: [String]) -> String {
        var hasher = Hasher()
        hasher.combine(secret)
        hasher.combine(texts)
        return "s" + String(UInt(bitPattern: hasher.finalize()), radix: 36)
    }
}

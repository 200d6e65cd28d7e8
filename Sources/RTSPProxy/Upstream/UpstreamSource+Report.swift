// What operators are told of an upstream.

import RTSPCore

extension UpstreamSource {
    public func report() -> [String] {
        let ways = streams.compactMap { stream in
            stream.granted.map { "stream \(stream.index) \(stream.media) by \($0.transport.rawValue)" }
        }
        return ["\(session?.url ?? url)" + (session?.serverAgent.map { " (\($0))" } ?? "")] + ways + notes
    }
}

// Current delay from the choice of a player's first packet until the response that announces it is on its way.

import AgentSupport

/// Remembers the longest of the latest delays: under load, first packets are chosen further ahead, so that none comes before the response.
@AgentActor
final class OpeningDelay {
    /// The delay that a calm node needs, and the longest that anybody should wait for, in nanoseconds.
    private static let shortest: UInt64 = 4_000_000
    private static let longest: UInt64 = 250_000_000
    private static let remembered = 64

    private var latest: [UInt64] = []
    private var next = 0

    /// Notes one delay, in nanoseconds.
    func note(_ delay: UInt64) {
        if latest.count < Self.remembered {
            latest.append(delay)
        } else {
            latest[next] = delay
            next = (next + 1) % Self.remembered
        }
    }

    /// The time ahead for which a first packet is to be chosen, in nanoseconds.
    var margin: UInt64 { min(max((latest.max() ?? 0) * 3 / 2 + StreamStart.writing, Self.shortest), Self.longest) }
}

// Display of the progress, while it lasts.

import Synchronization

/// Shows the present step on a terminal, in one line that goes when the work is done.
final class BenchProgress: Sendable {
    private let stream = StandardStream.error
    private let began = ContinuousClock.now

    func show(_ step: String) {
        guard stream.isTerminal else { return }
        stream.write("\r\u{1B}[K\((ContinuousClock.now - began).components.seconds) s: \(step)")
    }

    func clear() {
        guard stream.isTerminal else { return }
        stream.write("\r\u{1B}[K")
    }
}

// Waiting for what happens by itself.

import Testing

/// Polls until the body says nothing more is wrong; records its last word if that takes too long.
func eventually(
    seconds: Int = 10, sourceLocation: SourceLocation = #_sourceLocation, _ problem: () async throws -> String?
) async throws {
    var last: String?
    let end = ContinuousClock.now + .seconds(seconds)
    repeat {
        last = try await problem()
        if last == nil { return }
        try await Task.sleep(for: .milliseconds(20))
    } while ContinuousClock.now < end
    Issue.record("after \(seconds) s: \(last ?? "")", sourceLocation: sourceLocation)
}

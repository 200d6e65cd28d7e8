import Testing
import Timing

@Suite struct DeadlineTests {
    @Test func aDeadlineThatHasPassedHasNothingRemaining() {
        let deadline = Deadline(5, after: 10)
        #expect(deadline.remaining(at: 12) == 3)
        #expect(deadline.remaining(at: 15) == 0)
        #expect(deadline.remaining(at: 16) == 0)
        #expect(deadline.remaining(at: .max) == 0)
        #expect(!deadline.hasPassed(at: 14))
        #expect(deadline.hasPassed(at: 15))
    }

    @Test func theDelayOfATimerNeverOverflows() {
        #expect(Deadline(at: 5).delay(at: 6, slack: 1_000_000) == 1_000_000)
        #expect(Deadline(at: 5).delay(at: .max, slack: .max) == .max)
        #expect(Deadline.never.delay(at: 0, slack: 1_000_000) == .max)
    }

    @Test func aDeadlineBeyondTheClockIsNever() {
        #expect(Deadline(.max, after: 1) == .never)
        #expect(Deadline(1, after: .max) == .never)
    }

    @Test func numbersSaturate() {
        #expect((3 as UInt64).subtractingSaturating(4) == 0)
        #expect(UInt64.max.addingSaturating(1) == .max)
        #expect((1 << 40 as UInt64).multipliedSaturating(by: 1 << 40) == .max)
    }

    @Test func secondsThatAreNoTimeAreNone() {
        #expect(UInt64(saturatingSeconds: 1.5) == 1_500_000_000)
        for seconds in [-1, -Double.infinity, .nan, 0] { #expect(UInt64(saturatingSeconds: seconds) == 0) }
        for seconds in [Double.infinity, 1e30, 18_446_744_073.8] { #expect(UInt64(saturatingSeconds: seconds) == .max) }
    }

    @Test func durationsSaturate() {
        #expect(Duration.milliseconds(2).saturatedNanoseconds == 2_000_000)
        #expect(Duration.seconds(-1).saturatedNanoseconds == 0)
        #expect(Duration.seconds(Int64.max).saturatedNanoseconds == .max)
        #expect(Duration.saturating(nanoseconds: .max) == .nanoseconds(Int64.max))
    }
}

// Loss of one flow over the last seconds, minutes and hours, in bounded memory.

/// The packets of a span of time.
public struct LossWindow: Hashable, Sendable, Codable {
    /// Packets that were due by their sequence numbers.
    public var expectedPackets: UInt64
    /// Packets that did not come.
    public var lostPackets: UInt64
    /// Packets that came after later ones.
    public var reorderedPackets: UInt64

    public init(expectedPackets: UInt64 = 0, lostPackets: UInt64 = 0, reorderedPackets: UInt64 = 0) {
        self.expectedPackets = expectedPackets
        self.lostPackets = lostPackets
        self.reorderedPackets = reorderedPackets
    }

    static func += (one: inout LossWindow, other: LossWindow) {
        one.expectedPackets &+= other.expectedPackets
        one.lostPackets &+= other.lostPackets
        one.reorderedPackets &+= other.reorderedPackets
    }

    /// The part that was lost, 0 to 1; 0 where nothing was due.
    public var lostShare: Double {
        expectedPackets == 0 ? 0 : min(Double(lostPackets) / Double(expectedPackets), 1)
    }
}

/// Sums of the last 60 seconds, 15 minutes and 24 hours, each in steps. Pure: seconds come in.
struct LossHistory: Sendable {
    /// The sums of some steps of equal length, the newest last.
    private struct Ring: Sendable {
        let step: UInt64
        var sums: [LossWindow]
        /// The number of the newest step since the clock's origin.
        var newest: UInt64 = 0

        init(step: UInt64, count: Int) {
            self.step = step
            sums = Array(repeating: LossWindow(), count: count)
        }

        mutating func add(_ window: LossWindow, at second: UInt64) {
            let number = second / step
            if number > newest {
                let passed = number - newest
                for offset in 1...min(passed, UInt64(sums.count)) {
                    sums[Int((newest + offset) % UInt64(sums.count))] = LossWindow()
                }
                newest = number
            }
            sums[Int(newest % UInt64(sums.count))] += window
        }

        func sum(ofLast count: Int, at second: UInt64) -> LossWindow {
            let step = second / self.step
            var sum = LossWindow()
            for offset in 0..<UInt64(min(count, sums.count)) where step >= offset {
                let number = step - offset
                guard number <= newest, newest - number < UInt64(sums.count) else { continue }
                sum += sums[Int(number % UInt64(sums.count))]
            }
            return sum
        }
    }

    private var seconds = Ring(step: 1, count: 60)
    private var minutes = Ring(step: 60, count: 15)
    private var quarters = Ring(step: 900, count: 96)
    /// The second of the last loss.
    private(set) var lastLoss: UInt64?

    /// Adds what changed between two readings.
    mutating func add(_ window: LossWindow, at second: UInt64) {
        seconds.add(window, at: second)
        minutes.add(window, at: second)
        quarters.add(window, at: second)
        if window.lostPackets > 0 { lastLoss = second }
    }

    func tenSeconds(at second: UInt64) -> LossWindow { seconds.sum(ofLast: 10, at: second) }
    func minute(at second: UInt64) -> LossWindow { seconds.sum(ofLast: 60, at: second) }
    func quarterHour(at second: UInt64) -> LossWindow { minutes.sum(ofLast: 15, at: second) }
    func day(at second: UInt64) -> LossWindow { quarters.sum(ofLast: 96, at: second) }
}

// The search for the largest load without loss, against simulated nodes.

import TestSupport
import Testing

@testable import Qualification

@Suite struct SearchTests {
    /// Lets a search run against `carries`; what it found, and what it tried.
    private func run(
        _ search: ZeroLossSearch, _ carries: (Int) -> Bool
    ) -> (found: Int, tried: [Int], search: ZeroLossSearch) {
        var search = search
        var tried: [Int] = []
        while case .attempt(let number) = search.next {
            tried.append(number)
            #expect((1...search.limit).contains(number))
            guard tried.count < 100 else { break }
            search.record(number, succeeded: carries(number))
        }
        guard case .done(let found) = search.next else { return (-1, tried, search) }
        return (found, tried, search)
    }

    @Test(arguments: [1, 2, 3, 7, 30, 31, 32, 59, 60, 61, 99, 100])
    func findsTheLimitExactly(capacity: Int) {
        for guess in [1, 25, 30, 31, 35, 100] {
            let (found, tried, search) = run(ZeroLossSearch(guess: guess, limit: 100)) { $0 <= capacity }
            #expect(found == capacity, "from \(guess): \(tried)")
            #expect(tried.filter { $0 == found }.count >= 2 && tried.count <= 28)
            #expect(search.isBounded == (capacity < 100))
        }
    }

    @Test func largeNumbersAreFoundToTheirResolution() {
        for capacity in [900, 8700, 8710, 12_345] {
            let (found, tried, _) = run(ZeroLossSearch(guess: 8000, limit: 16_384)) { $0 <= capacity }
            #expect(found <= capacity && Double(found) >= Double(capacity) * 0.985, "\(capacity): \(tried)")
        }
    }

    @Test func aNodeThatCarriesNothingIsToldSo() {
        let (found, tried, search) = run(ZeroLossSearch(guess: 30, limit: 100)) { _ in false }
        #expect(found == 0 && tried.contains(1) && search.isBounded)
    }

    @Test func theLimitIsTriedTwiceAndNotPassed() {
        let (found, tried, search) = run(ZeroLossSearch(guess: 5, limit: 8)) { _ in true }
        #expect(found == 8 && tried.filter { $0 == 8 }.count == 2 && !search.isBounded)
    }

    @Test func whatSucceedsOnlyOnceIsNotTheAnswer() {
        // 40 succeed once, by luck; 30 always.
        var lucky = true
        let (found, _, _) = run(ZeroLossSearch(guess: 38, limit: 100)) { number in
            if number <= 30 { return true }
            if number <= 40, lucky {
                lucky = number < 36
                return true
            }
            return false
        }
        #expect(found == 30)
    }

    @Test func oneFailureIsNoFailure() {
        // Every number fails the first time.
        var seen: Set<Int> = []
        let (found, _, _) = run(ZeroLossSearch(guess: 9, limit: 20)) { number in
            !seen.insert(number).inserted && number <= 12
        }
        #expect(found == 12)
    }

    @Test func theAnswerOfANoisyNodeSucceededAndNothingBelowItFailedTwice() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            var outcomes: [Int: [Bool]] = [:]
            let (found, _, search) = run(ZeroLossSearch(guess: 50, limit: 100)) { number in
                let succeeds = number <= 60 && UInt64.random(in: 0..<10, using: &generator) > 0
                outcomes[number, default: []].append(succeeds)
                return succeeds
            }
            #expect(search.trials <= 28 && found <= 60)
            #expect(found == 0 || outcomes[found, default: []].contains(true))
            for (number, results) in outcomes where number <= found {
                #expect(!zip(results, results.dropFirst()).contains { !$0 && !$1 }, "\(number): \(results)")
            }
        }
    }
}

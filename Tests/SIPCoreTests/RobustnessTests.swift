// Whatever comes, the parser and the transactions stand.

import RTPWire
import TestSupport
import Testing

@testable import SIPCore

@Suite struct RobustnessTests {
    private static let seeds: [[UInt8]] = [
        ValidMessages.wsinv, ValidMessages.intmeth, ValidMessages.esc01, ValidMessages.escnull, ValidMessages.esc02,
        ValidMessages.semiuri, ValidMessages.transports, ValidMessages.mpart01, ValidMessages.unreason,
        InvalidMessages.badinv01, InvalidMessages.quotbal, InvalidMessages.regbadct, InvalidMessages.baddn,
        ApplicationMessages.multi01, ApplicationMessages.regescrt, ApplicationMessages.inv2543,
    ]

    /// Changes, removes, repeats or inserts a few bytes, mostly those that mean something.
    private func mutated(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        let signs = Array("\r\n\t ,;:<>\"\\@%?=/[].*0".utf8) + [0, 0x80, 0xff]
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
            let position = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes[position] = signs.randomElement(using: &generator)!
            case 1: bytes.insert(signs.randomElement(using: &generator)!, at: position)
            case 2: bytes.removeSubrange(position..<min(position + 9, bytes.count))
            default: bytes.insert(contentsOf: bytes[position..<min(position + 30, bytes.count)], at: position)
            }
        }
        return bytes
    }

    @Test("S-10: what can be parsed is printed so that it says the same, and what cannot be is answered as SIP")
    func mutatedMessages() throws {
        var generator = SeededGenerator(seed: 4475)
        var accepted = 0
        var answered = 0
        for _ in 0..<250 {
            for seed in Self.seeds {
                let bytes = mutated(seed, &generator)
                do throws(SIPParseError) {
                    guard let message = try SIPParser.parse(datagram: bytes) else { continue }
                    accepted += 1
                    let again = try SIPParser.parse(datagram: message.bytes)
                    #expect(again?.bytes == message.bytes)
                    if case .request(let request) = message {
                        _ = request.sessionDescription
                        _ = RequestPolicy(methods: [.invite], extensions: []).refusal(of: request)
                        _ = Dialog(received: request, tag: "t", state: .early)
                    }
                } catch {
                    guard let reply = error.reply else { continue }
                    answered += 1
                    let text = reply.bytes(error.status, tag: "t", from: IPAddress(192, 0, 2, 1), transportPort: 5060)
                    #expect(text.starts(with: "SIP/2.0 ".utf8))
                }
            }
        }
        #expect(accepted > 300)
        #expect(answered > 500)
    }

    @Test("S-09: a connection gives the same messages wherever it is cut, also when they are broken")
    func mutatedStreams() throws {
        func elements(_ bytes: [UInt8], pieces: [Int]) -> [String] {
            var decoder = SIPStreamDecoder()
            decoder.awaitsPong = false
            var result: [String] = []
            var start = 0
            for end in pieces + [bytes.count] where end >= start {
                decoder.append(bytes[start..<end])
                start = end
                do {
                    while let element = try decoder.next() { result.append("\(element)") }
                } catch {
                    return result + ["\(error)"]
                }
            }
            return result
        }
        var generator = SeededGenerator(seed: 5118)
        for _ in 0..<60 {
            let bytes = mutated(Self.seeds[0] + Self.seeds[4] + Self.seeds[3], &generator)
            let whole = elements(bytes, pieces: [])
            for _ in 0..<4 {
                let pieces = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
                #expect(elements(bytes, pieces: pieces) == whole)
            }
        }
    }

    @Test("S-03: transactions in any order of events end, and leave nothing behind")
    func randomEvents() throws {
        var generator = SeededGenerator(seed: 17)
        var layer = TransactionLayer(capacity: 50)
        var timers: [(TransactionTimer, TransactionID)] = []
        var servers: [(TransactionID, SIPRequest)] = []
        var clients: [SIPRequest] = []
        func note(_ events: [TransactionEvent]) {
            for event in events {
                switch event {
                case .transaction(let id, .setTimer(let timer, _)): timers.append((timer, id))
                case .transaction(let id, .cancelTimer(let timer)): timers.removeAll { $0 == (timer, id) }
                case .transaction(let id, .terminated): timers.removeAll { $0.1 == id }
                case .request(let id, let request): servers.append((id, request))
                default: break
                }
            }
        }
        let statuses: [UInt16] = [100, 180, 200, 404, 486, 603]
        for step in 0..<4000 {
            let method = [SIPMethod.invite, .bye, .options].randomElement(using: &generator)!
            let number = Int.random(in: 0..<60, using: &generator)
            let isReliable = Bool.random(using: &generator)
            let status = SIPStatus(statuses.randomElement(using: &generator)!, "")
            switch Int.random(in: 0..<7, using: &generator) {
            case 0:
                let request = try SIPRequest.sample(method, branch: "z9hG4bKs\(number)", callID: "s\(number)")
                note(layer.receive(request, isReliable: isReliable) { "t" })
            case 1:
                let request = try SIPRequest.sample(.ack, branch: "z9hG4bKs\(number)", toTag: "t", callID: "s\(number)")
                note(layer.receive(request, isReliable: isReliable) { "t" })
            case 2:
                let request = try SIPRequest.sample(.invite, branch: "z9hG4bKs\(number)", callID: "s\(number)")
                note(layer.receive(request.cancellation(), isReliable: isReliable) { "t" })
            case 3:
                guard let (id, request) = servers.randomElement(using: &generator) else { continue }
                note(layer.respond(SIPResponse(status, to: request, tag: "t"), to: id))
            case 4:
                let request = try SIPRequest.sample(method, branch: "z9hG4bKc\(step)", callID: "c\(step)")
                clients.append(request)
                note(try layer.send(request, isReliable: isReliable).1)
            case 5:
                guard let request = clients.randomElement(using: &generator) else { continue }
                note(layer.receive(SIPResponse(status, to: request, tag: "t")))
            default:
                guard !timers.isEmpty else { continue }
                let (timer, id) = timers.remove(at: Int.random(in: 0..<timers.count, using: &generator))
                note(layer.fired(timer, of: id))
            }
        }
        // Everybody gets a final response, then time passes.
        for (id, request) in servers { note(layer.respond(SIPResponse(.ok, to: request, tag: "t"), to: id)) }
        for request in clients { note(layer.receive(SIPResponse(.busyHere, to: request, tag: "t"))) }
        var rounds = 0
        while !timers.isEmpty, rounds < 200_000 {
            let (timer, id) = timers.removeFirst()
            note(layer.fired(timer, of: id))
            rounds += 1
        }
        #expect(layer.count == 0)
    }
}

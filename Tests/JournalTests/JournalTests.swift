import Glibc
import TestSupport
import Testing

@testable import Journal

private func change(_ name: String, _ json: String?) -> JournalChange {
    JournalChange(JournalKey("route", name), json.map { JournalValue(version: 1, json: Array($0.utf8)) })
}

private func bytes(of path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "r"))
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes.prefix(count))
}

private func write(_ bytes: [UInt8], to path: String) throws {
    let file = try #require(fopen(path, "w"))
    defer { fclose(file) }
    #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
}

@Suite struct JournalTests {
    @Test func whatWasWrittenIsReadAgain() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/journal"
        let log = try JournalLog(path: path)
        try log.append([change("cam1", #"{"a":1}"#), change("cam2", #"{"b":" x\ty "}"#)])
        try log.append([change("cam1", nil), change("cam3", "{}")])
        let read = try JournalLog(path: path).contents
        #expect(read.values == log.contents.values && read.removed == log.contents.removed)
        #expect(read.values.keys.map(\.name).sorted() == ["cam2", "cam3"])
        #expect(read.values[JournalKey("route", "cam2")]?.json == Array(#"{"b":" x\ty "}"#.utf8))
        #expect(read.removed == [JournalKey("route", "cam1")])
        #expect(read.problems.isEmpty)
    }

    @Test("A batch that is cut off at any byte is not there at all, and the next one follows what was whole")
    func tornBatches() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/journal"
        let log = try JournalLog(path: path)
        try log.append([change("cam1", "{}")])
        let before = log.contents
        let whole = try bytes(of: path).count
        try log.append([change("cam1", nil), change("cam2", "{}"), change("cam3", "{}")])
        let all = try bytes(of: path)
        for length in whole + 1..<all.count {
            try write(Array(all.prefix(length)), to: path)
            let torn = try JournalLog(path: path)
            #expect(torn.contents.values == before.values, "cut at \(length)")
            #expect(torn.contents.problems.count >= 1)
            try torn.append([change("cam4", "{}")])
            let read = try JournalLog(path: path).contents
            #expect(read.values.keys.map(\.name).sorted() == ["cam1", "cam4"], "cut at \(length)")
            #expect(read.problems.isEmpty)
        }
    }

    @Test("A flipped bit costs the record that it is in, and no other")
    func flippedBits() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/journal"
        let log = try JournalLog(path: path)
        for number in 1...4 { try log.append([change("cam\(number)", #"{"number":\#(number)}"#)]) }
        let all = try bytes(of: path)
        let lines = all.split(separator: UInt8(ascii: "\n"))
        var start = 0
        for (index, line) in lines.enumerated() {
            for offset in stride(from: 0, to: line.count, by: 3) {
                var damaged = all
                damaged[start + offset] ^= 0x04
                let read = JournalContents(damaged)
                #expect(!read.problems.isEmpty)
                // A damaged head of a batch costs nothing: its records have sums of their own.
                #expect(read.values.count >= (index % 2 == 0 ? 4 : 3), "line \(index), byte \(offset)")
            }
            start += line.count + 1
        }
    }

    @Test func aJournalIsWrittenAgainWhenMostOfItIsHistory() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/journal"
        let log = try JournalLog(path: path)
        let value = "{\"text\":\"" + String(repeating: "x", count: 10_000) + "\"}"
        for number in 0..<400 { try log.append([change("cam\(number % 3)", value)]) }
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_size < 2 << 20)
        #expect(status.st_mode & 0o777 == 0o600)
        let read = try JournalLog(path: path).contents
        #expect(read.values == log.contents.values)
        #expect(read.values.count == 3)
    }

    @Test("What was removed is remembered over a compaction until it is forgotten, and then costs nothing")
    func removals() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/journal"
        let log = try JournalLog(path: path)
        try log.append([change("cam1", "{}"), change("cam2", "{}")])
        try log.append([change("cam1", nil)])
        try log.compact()
        #expect(try JournalLog(path: path).contents.removed == [JournalKey("route", "cam1")])
        log.forgetRemoved()
        #expect(log.contents.removed.isEmpty)
        try log.compact()
        let read = try JournalLog(path: path).contents
        #expect(read.removed.isEmpty && read.values.keys.map(\.name) == ["cam2"] && read.problems.isEmpty)
    }

    @Test("A batch for which there is no room leaves the journal as it was, and the next one fits again")
    func fullDisk() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/journal"
        let log = try JournalLog(path: path)
        try log.append([change("cam1", "{}")])
        let before = try bytes(of: path)
        var limit = rlimit()
        #expect(getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
        let old = limit
        signal(SIGXFSZ, SIG_IGN)
        limit.rlim_cur = rlim_t(before.count + 40)
        #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
        defer { _ = setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) }
        let refusal = #expect(throws: JournalError.self) {
            try log.append([change("cam2", "{\"text\":\"" + String(repeating: "y", count: 100) + "\"}")])
        }
        #expect(refusal?.description.contains(path) == true)
        limit = old
        #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
        #expect(try bytes(of: path) == before)
        #expect(log.contents.values.count == 1)
        try log.append([change("cam3", "{}")])
        #expect(try JournalLog(path: path).contents.values.count == 2)
    }
}

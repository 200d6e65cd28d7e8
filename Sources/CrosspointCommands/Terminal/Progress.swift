// A sign of life for whatever takes longer than a person waits in peace.

/// Shows that something is under way.
enum Progress {
    /// Runs `work`. If it takes longer than two seconds, a terminal sees `text` and the seconds until it is done.
    static func during<Value: Sendable>(
        _ text: String, _ work: @Sendable () async throws -> Value
    ) async throws -> Value {
        guard StandardStream.error.isTerminal else { return try await work() }
        let display = Task {
            do { try await Task.sleep(for: .seconds(2)) } catch { return }
            var seconds = 2
            while !Task.isCancelled {
                StandardStream.error.write("\r\u{1B}[K\(text): \(seconds) s")
                seconds += 1
                do { try await Task.sleep(for: .seconds(1)) } catch { break }
            }
            StandardStream.error.write("\r\u{1B}[K")
        }
        do {
            let value = try await work()
            display.cancel()
            await display.value
            return value
        } catch {
            display.cancel()
            await display.value
            throw error
        }
    }
}

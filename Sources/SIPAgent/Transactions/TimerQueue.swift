// Timers by the thousand.

/// The due timers, the earliest first: a binary heap. Nothing is ever taken out before its time; the setter of a timer knows if
/// it still means anything when it comes.
struct TimerQueue<Payload: Sendable>: Sendable {
    private struct Entry: Sendable {
        var deadline: UInt64
        var payload: Payload
    }

    private var heap: [Entry] = []

    var isEmpty: Bool { heap.isEmpty }
    var count: Int { heap.count }
    /// When the earliest is due.
    var next: UInt64? { heap.first?.deadline }

    mutating func insert(_ payload: Payload, at deadline: UInt64) {
        heap.append(Entry(deadline: deadline, payload: payload))
        var index = heap.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard heap[index].deadline < heap[parent].deadline else { return }
            heap.swapAt(index, parent)
            index = parent
        }
    }

    /// Takes out the earliest, if it is due.
    mutating func pop(now: UInt64) -> Payload? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first.payload }
        heap[0] = last
        var index = 0
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].deadline < heap[child].deadline { child += 1 }
            guard heap[child].deadline < heap[index].deadline else { break }
            heap.swapAt(child, index)
            index = child
        }
        return first.payload
    }
}

// The rings of one socket in plain memory, and the kernel's side of them.

package import AFXDP
import CLibXDP
package import CrosspointShim

/// An AF_XDP socket without a kernel.
package final class SyntheticSocket {
    package let channel: UnsafeMutablePointer<Channel>
    private let receiveRing: UnsafeMutablePointer<xsk_ring_cons>
    private let transmitRing: UnsafeMutablePointer<xsk_ring_prod>
    private let fillRing: UnsafeMutablePointer<xsk_ring_prod>
    private let completionRing: UnsafeMutablePointer<xsk_ring_cons>
    private let base: UnsafeMutableRawPointer
    private let words: UnsafeMutablePointer<UInt32>
    private let record: UnsafeMutablePointer<crosspoint_socket>

    package static let size: UInt32 = 2048

    /// A frame that was sent.
    package struct Sent {
        package var bytes: [UInt8]
        package var buffers: Int
    }

    init(
        port: UInt8, number: UInt8, memory: UnsafeMutablePointer<FrameMemory>, base: UnsafeMutableRawPointer,
        receives: Bool, sharesPayload: Bool, longestFrame: Int, fillLimit: Int
    ) {
        self.base = base
        words = .allocate(capacity: 16)
        words.initialize(repeating: 0, count: 16)
        record = .allocate(capacity: 1)
        record.initialize(to: crosspoint_socket())
        let words = words
        func room(_ stride: Int) -> UnsafeMutableRawPointer {
            let ring = UnsafeMutableRawPointer.allocate(byteCount: Int(Self.size) * stride, alignment: 64)
            ring.initializeMemory(as: UInt8.self, repeating: 0, count: Int(Self.size) * stride)
            return ring
        }
        func producer(_ index: Int, _ stride: Int) -> UnsafeMutablePointer<xsk_ring_prod> {
            let ring = UnsafeMutablePointer<xsk_ring_prod>.allocate(capacity: 1)
            ring.initialize(
                to: xsk_ring_prod(
                    cached_prod: 0, cached_cons: Self.size, mask: Self.size - 1, size: Self.size,
                    producer: words + index, consumer: words + index + 1, ring: room(stride), flags: words + 12))
            return ring
        }
        func consumer(_ index: Int, _ stride: Int) -> UnsafeMutablePointer<xsk_ring_cons> {
            let ring = UnsafeMutablePointer<xsk_ring_cons>.allocate(capacity: 1)
            ring.initialize(
                to: xsk_ring_cons(
                    cached_prod: 0, cached_cons: 0, mask: Self.size - 1, size: Self.size, producer: words + index,
                    consumer: words + index + 1, ring: room(stride), flags: words + 12))
            return ring
        }
        receiveRing = consumer(0, MemoryLayout<xdp_desc>.stride)
        transmitRing = producer(2, MemoryLayout<xdp_desc>.stride)
        fillRing = producer(4, 8)
        completionRing = consumer(6, 8)
        channel = .allocate(capacity: 1)
        channel.initialize(
            to: Channel(
                receiveRing: receiveRing, transmitRing: transmitRing, fillRing: fillRing,
                completionRing: completionRing, memory: memory, record: record, descriptor: -1, port: port,
                number: number, isReceiving: receives, isZeroCopy: false, isMultiBuffer: true,
                sharesPayload: sharesPayload, longestFrame: longestFrame, fillLimit: fillLimit))
    }

    deinit {
        for ring in [receiveRing, completionRing] {
            ring.pointee.ring.deallocate()
            ring.deallocate()
        }
        for ring in [transmitRing, fillRing] {
            ring.pointee.ring.deallocate()
            ring.deallocate()
        }
        channel.deallocate()
        words.deallocate()
        record.deallocate()
    }

    package func counter(_ counter: crosspoint_socket_counter) -> UInt64 {
        withUnsafeBytes(of: record.pointee.counters) {
            $0.load(fromByteOffset: 8 * Int(counter.rawValue), as: UInt64.self)
        }
    }

    private func descriptors(_ ring: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<xdp_desc> {
        ring.unsafelyUnwrapped.assumingMemoryBound(to: xdp_desc.self)
    }

    private func addresses(_ ring: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<UInt64> {
        ring.unsafelyUnwrapped.assumingMemoryBound(to: UInt64.self)
    }

    /// Frames that wait in the fill ring.
    package var waitingFrames: Int { Int(fillRing.pointee.producer.pointee &- fillRing.pointee.consumer.pointee) }

    /// Receives a frame as the kernel does: into frames of the fill ring. False when there are too few.
    package func receive(_ frame: [UInt8], note: crosspoint_metadata) -> Bool {
        let capacity = FrameMemory.frameSize - FrameMemory.headroom
        let parts = max((frame.count + capacity - 1) / capacity, 1)
        guard waitingFrames >= parts else { return false }
        for part in 0..<parts {
            let slot = fillRing.pointee.consumer.pointee
            let address =
                addresses(fillRing.pointee.ring)[Int(slot & fillRing.pointee.mask)] + UInt64(FrameMemory.headroom)
            fillRing.pointee.consumer.pointee = slot &+ 1
            let bytes = frame[(part * capacity)..<min((part + 1) * capacity, frame.count)]
            let place = base + Int(address)
            bytes.withUnsafeBytes { place.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: $0.count) }
            if part == 0 {
                (place - MemoryLayout<crosspoint_metadata>.size).storeBytes(of: note, as: crosspoint_metadata.self)
            }
            let produced = receiveRing.pointee.producer.pointee
            descriptors(receiveRing.pointee.ring)[Int(produced & receiveRing.pointee.mask)] = xdp_desc(
                addr: address, len: UInt32(bytes.count),
                options: part + 1 < parts ? UInt32(CROSSPOINT_XDP_PKT_CONTD) : 0)
            crosspoint_publish32(receiveRing.pointee.producer, produced &+ 1)
        }
        return true
    }

    /// What was sent since the last time; completes it.
    package func takeSent() -> [Sent] {
        var result: [Sent] = []
        var current = Sent(bytes: [], buffers: 0)
        var consumed = transmitRing.pointee.consumer.pointee
        while consumed != transmitRing.pointee.producer.pointee {
            let descriptor = descriptors(transmitRing.pointee.ring)[Int(consumed & transmitRing.pointee.mask)]
            current.bytes += UnsafeRawBufferPointer(start: base + Int(descriptor.addr), count: Int(descriptor.len))
            current.buffers += 1
            complete(descriptor.addr)
            if descriptor.options & UInt32(CROSSPOINT_XDP_PKT_CONTD) == 0 {
                result.append(current)
                current = Sent(bytes: [], buffers: 0)
            }
            consumed &+= 1
        }
        crosspoint_publish32(transmitRing.pointee.consumer, consumed)
        return result
    }

    /// The same without looking at it: how many descriptors.
    @discardableResult
    package func completeAll() -> Int {
        let first = transmitRing.pointee.consumer.pointee
        let end = transmitRing.pointee.producer.pointee
        var place = first
        while place != end {
            complete(descriptors(transmitRing.pointee.ring)[Int(place & transmitRing.pointee.mask)].addr)
            place &+= 1
        }
        crosspoint_publish32(transmitRing.pointee.consumer, end)
        return Int(end &- first)
    }

    private func complete(_ address: UInt64) {
        let produced = completionRing.pointee.producer.pointee
        addresses(completionRing.pointee.ring)[Int(produced & completionRing.pointee.mask)] = address
        crosspoint_publish32(completionRing.pointee.producer, produced &+ 1)
    }
}

// One AF_XDP socket as the loop of its worker sees it.

package import CLibXDP
package import CrosspointShim

/// Rings and counters of one socket: plain pointers, whose owners outlive the loop's use of them.
package struct Channel {
    package let receiveRing: UnsafeMutablePointer<xsk_ring_cons>
    package let transmitRing: UnsafeMutablePointer<xsk_ring_prod>
    package let fillRing: UnsafeMutablePointer<xsk_ring_prod>
    package let completionRing: UnsafeMutablePointer<xsk_ring_cons>
    let memory: UnsafeMutablePointer<FrameMemory>
    /// The record of the socket that everybody may read (bpf/fastpath_abi.h).
    let record: UnsafeMutablePointer<crosspoint_socket>
    /// -1 where the rings are no kernel's.
    let descriptor: CInt
    package let port: UInt8
    /// Distinguishes the worker's sockets from each other: 1 and up.
    let number: UInt8
    let isReceiving: Bool
    let isZeroCopy: Bool
    /// Frames of several buffers go through.
    let isMultiBuffer: Bool
    /// Copies share one payload instead of having each their own.
    let sharesPayload: Bool
    /// The longest frame that the interface sends, without FCS.
    var longestFrame: Int
    /// Frames that the fill ring may have.
    var fillLimit: Int
    /// Frames that the fill ring has, or the kernel has taken from it.
    var filled = 0
    /// Descriptors that were written and not yet shown to the kernel.
    var pending: UInt32 = 0
    /// Copies that are encrypted before they are written into the transmit ring.
    var collected: UInt32 = 0
    /// Descriptors that were shown to it and not completed.
    var outstanding: Int = 0
    /// The driver, which has zero-copy, says that the interface is down: nothing more is written into its ring.
    var isDown = false

    package init(
        receiveRing: UnsafeMutablePointer<xsk_ring_cons>, transmitRing: UnsafeMutablePointer<xsk_ring_prod>,
        fillRing: UnsafeMutablePointer<xsk_ring_prod>, completionRing: UnsafeMutablePointer<xsk_ring_cons>,
        memory: UnsafeMutablePointer<FrameMemory>, record: UnsafeMutablePointer<crosspoint_socket>, descriptor: CInt,
        port: UInt8, number: UInt8, isReceiving: Bool, isZeroCopy: Bool, isMultiBuffer: Bool, sharesPayload: Bool,
        longestFrame: Int, fillLimit: Int
    ) {
        self.receiveRing = receiveRing
        self.transmitRing = transmitRing
        self.fillRing = fillRing
        self.completionRing = completionRing
        self.memory = memory
        self.record = record
        self.descriptor = descriptor
        self.port = port
        self.number = number
        self.isReceiving = isReceiving
        self.isZeroCopy = isZeroCopy
        self.isMultiBuffer = isMultiBuffer
        self.sharesPayload = sharesPayload
        self.longestFrame = longestFrame
        self.fillLimit = fillLimit
    }

    /// The socket's counters, behind heartbeat, flags and worker.
    @inline(__always) package var counters: UnsafeMutablePointer<UInt64> {
        (UnsafeMutableRawPointer(record) + 16).assumingMemoryBound(to: UInt64.self)
    }

    /// Adds to one of the socket's counters, of which the worker is the only writer.
    @inline(__always) func count(_ counter: crosspoint_socket_counter, _ number: Int = 1) {
        counters[Int(counter.rawValue)] &+= UInt64(truncatingIfNeeded: number)
    }

    /// Sets the counters that the kernel keeps.
    func publishKernelCounters() {
        guard descriptor >= 0 else { return }
        var values: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
        let counters = counters
        withUnsafeMutableBytes(of: &values) { bytes in
            guard let first = bytes.bindMemory(to: UInt64.self).baseAddress,
                crosspoint_xdp_statistics(descriptor, first) == 0
            else { return }
            for index in 0..<6 { counters[Int(CROSSPOINT_SOCKET_KERNEL_RX_DROPPED.rawValue) + index] = first[index] }
        }
    }
}

// Having the kernel send what was written into a transmit ring.

import CLibXDP
import CrosspointShim
import FastPath
import Glibc

extension ForwardingLoop {
    /// Answers without progress after which a socket has to wait for its next turn.
    private static let patience = 16

    /// Shows the kernel what is pending, and takes back what it has sent.
    mutating func flush(_ channel: UnsafeMutablePointer<Channel>) {
        let ring = channel.pointee.transmitRing
        if channel.pointee.pending > 0 {
            channel.pointee.outstanding &+= Int(channel.pointee.pending)
            xsk_ring_prod__submit(ring, channel.pointee.pending)
            channel.pointee.pending = 0
        }
        if channel.pointee.descriptor >= 0 {
            if channel.pointee.isZeroCopy {
                wake(channel)
            } else {
                sendAll(channel)
            }
        }
        Self.reap(channel)
    }

    /// The driver sends by itself; it is woken where it asks for that.
    private func wake(_ channel: UnsafeMutablePointer<Channel>) {
        guard xsk_ring_prod__needs_wakeup(channel.pointee.transmitRing) != 0 || channel.pointee.isDown else { return }
        channel.pointee.count(CROSSPOINT_SOCKET_TX_WAKEUPS)
        let answer = crosspoint_xdp_send(channel.pointee.descriptor)
        if answer != 0 { countAnswer(answer, channel) }
        let port = Int(channel.pointee.port)
        switch -answer {
        case ENETDOWN, ENXIO, ENODEV:
            // A frame that is in the ring cannot be taken back, since the driver may look at it at any time, and goes
            // out when the interface is up again, as old as it is then: let it be no more than this.
            guard byPort[port] == channel else { return }
            byPort[port] = nil
            channel.pointee.isDown = true
        default:
            guard channel.pointee.isDown else { return }
            channel.pointee.isDown = false
            byPort[port] = channel
        }
    }

    /// In copy mode the kernel sends within the call: some descriptors in each, until none is left.
    private func sendAll(_ channel: UnsafeMutablePointer<Channel>) {
        let ring = channel.pointee.transmitRing
        var patience = Self.patience
        var before = crosspoint_read32(ring.pointee.consumer)
        while before != ring.pointee.producer.pointee {
            channel.pointee.count(CROSSPOINT_SOCKET_TX_WAKEUPS)
            let answer = crosspoint_xdp_send(channel.pointee.descriptor)
            let after = crosspoint_read32(ring.pointee.consumer)
            if answer != 0 {
                countAnswer(answer, channel)
                switch -answer {
                case EAGAIN: break
                // One frame was given up, and counts as sent to the ring.
                case EBUSY: refuse(ring, after &- 1, channel)
                // Its memory comes back when others have been sent: not now.
                case ENOBUFS, ENOMEM: return
                default: return giveUp(channel)
                }
            }
            if after == before {
                patience -= 1
                // Completions make room where the socket's own limit was reached.
                Self.reap(channel)
                if patience == 0 { return }
            }
            before = after
        }
    }

    private func countAnswer(_ answer: CInt, _ channel: UnsafeMutablePointer<Channel>) {
        switch -answer {
        case EAGAIN: channel.pointee.count(CROSSPOINT_SOCKET_TX_AGAIN)
        case EBUSY: channel.pointee.count(CROSSPOINT_SOCKET_TX_BUSY)
        case ENOBUFS, ENOMEM: channel.pointee.count(CROSSPOINT_SOCKET_TX_NO_BUFFERS)
        case ENETDOWN, ENXIO, ENODEV: channel.pointee.count(CROSSPOINT_SOCKET_TX_NETWORK_DOWN)
        default: channel.pointee.count(CROSSPOINT_SOCKET_TX_ERRORS)
        }
    }

    /// Counts that the copy whose last descriptor is at `place` was not sent.
    private func refuse(
        _ ring: UnsafeMutablePointer<xsk_ring_prod>, _ place: UInt32, _ channel: UnsafeMutablePointer<Channel>
    ) {
        // The copy's first descriptor follows the last one of the copy before it.
        var first = place
        let size = ring.pointee.size
        while place &- first < size,
            xsk_ring_prod__tx_desc(ring, first &- 1).unsafelyUnwrapped.pointee.options
                & UInt32(CROSSPOINT_XDP_PKT_CONTD) != 0
        {
            first &-= 1
        }
        countRefusal(ring, first, CROSSPOINT_COPY_REFUSED, channel)
    }

    private func countRefusal(
        _ ring: UnsafeMutablePointer<xsk_ring_prod>, _ place: UInt32, _ reason: crosspoint_reason,
        _ channel: UnsafeMutablePointer<Channel>
    ) {
        let address = xsk_ring_prod__tx_desc(ring, place).unsafelyUnwrapped.pointee.addr
        let copy = channel.pointee.memory.pointee.copies[FrameMemory.index(address)]
        if copy.counter < tables.legCounters {
            let refusal = tables.legRefusals + Int(copy.counter)
            refusal.pointee.packets &+= 1
            refusal.pointee.bytes &+= UInt64(copy.bytes)
        }
        let port = Int(channel.pointee.port)
        tables.ports[port].refused_copies &+= 1
        count(reason, port: port)
    }

    /// The interface sends nothing: what waits in the ring would be sent when it is up again, as old as it is then. In copy mode the
    /// kernel looks at the ring in our own calls only, so that we can take back what it has not seen.
    private func giveUp(_ channel: UnsafeMutablePointer<Channel>) {
        let ring = channel.pointee.transmitRing
        let consumer = crosspoint_read32(ring.pointee.consumer)
        let producer = ring.pointee.producer.pointee
        var place = consumer
        var isFirst = true
        while place != producer {
            let descriptor = xsk_ring_prod__tx_desc(ring, place).unsafelyUnwrapped.pointee
            if isFirst { countRefusal(ring, place, CROSSPOINT_COPY_INTERFACE_DOWN, channel) }
            isFirst = descriptor.options & UInt32(CROSSPOINT_XDP_PKT_CONTD) == 0
            channel.pointee.memory.pointee.release(FrameMemory.index(descriptor.addr))
            channel.pointee.outstanding &-= 1
            place &+= 1
        }
        crosspoint_publish32(ring.pointee.producer, consumer)
        ring.pointee.cached_prod = consumer
    }
}

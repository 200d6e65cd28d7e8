// The sockets of a worker's loop: coming, going, heartbeat and sleep.

import CLibXDP
import CrosspointShim
import Glibc

extension ForwardingLoop {
    /// Takes a socket into the loop.
    package mutating func add(_ channel: UnsafeMutablePointer<Channel>, sends: Bool) {
        precondition(channelCount < Self.maximumChannels, "a worker serves \(Self.maximumChannels) sockets at most")
        channels[channelCount] = channel
        channelCount += 1
        if sends { byPort[Int(channel.pointee.port)] = channel }
    }

    /// Takes a socket out of the loop.
    package mutating func remove(_ channel: UnsafeMutablePointer<Channel>) {
        guard let place = (0..<channelCount).first(where: { channels[$0] == channel }) else { return }
        channelCount -= 1
        channels[place] = channels[channelCount]
        if byPort[Int(channel.pointee.port)] == channel { byPort[Int(channel.pointee.port)] = nil }
    }

    /// Tells ingress that the sockets are served.
    @inline(__always) func beat(_ now: UInt64) {
        for index in 0..<channelCount where channels[index].pointee.isReceiving {
            crosspoint_publish64(
                UnsafeMutableRawPointer(channels[index].pointee.record).assumingMemoryBound(to: UInt64.self), now)
        }
    }

    func publishKernelCounters() {
        for index in 0..<channelCount { channels[index].pointee.publishKernelCounters() }
    }

    /// Polls the drivers' queues in this thread, where the sockets are set so; wakes the others' drivers where they ask for it.
    func pollDrivers() {
        for index in 0..<channelCount where channels[index].pointee.isReceiving {
            _ = crosspoint_xdp_receive(channels[index].pointee.descriptor)
        }
    }

    /// Wakes the drivers that want it: who waits by poll() does so by that.
    func wakeReceivers() {
        for index in 0..<channelCount where channels[index].pointee.isReceiving { Self.wakeReceiver(channels[index]) }
    }

    /// Writes down what to wait for. Returns how many descriptors, and whether anything that was sent has not come back yet.
    func fill(_ set: UnsafeMutablePointer<pollfd>) -> (count: Int, isWaiting: Bool) {
        var count = 0
        var isWaiting = false
        for index in 0..<channelCount {
            let channel = channels[index]
            if channel.pointee.outstanding > 0, !channel.pointee.isDown { isWaiting = true }
            guard channel.pointee.isReceiving, channel.pointee.descriptor >= 0 else { continue }
            set[count] = pollfd(fd: channel.pointee.descriptor, events: Int16(POLLIN), revents: 0)
            count += 1
        }
        return (count, isWaiting)
    }

    /// True if everything that a socket received or was given to send is done.
    func isDone(_ channel: UnsafeMutablePointer<Channel>) -> Bool {
        let ring = channel.pointee.receiveRing
        return crosspoint_read32(ring.pointee.producer) == ring.pointee.consumer.pointee
            && channel.pointee.outstanding == 0
    }
}

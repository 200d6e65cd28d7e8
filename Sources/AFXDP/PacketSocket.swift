// The owner of one AF_XDP socket and its rings.

import CLibXDP
import CrosspointShim
import Glibc

/// An AF_XDP socket bound to one queue of an interface.
///
/// It must go before the memory that it was made with.
struct PacketSocket: ~Copyable {
    /// The way in which a socket is bound.
    struct Binding: Hashable {
        var isZeroCopy: Bool
        var isMultiBuffer: Bool

        var flags: UInt16 {
            UInt16(isZeroCopy ? XDP_ZEROCOPY : XDP_COPY) | UInt16(XDP_USE_NEED_WAKEUP)
                | (isMultiBuffer ? UInt16(CROSSPOINT_XDP_USE_SG) : 0)
        }
    }

    /// The number of times, and the distance in microseconds, in which a queue is asked for whose last socket may still be going.
    static let attempts = 25
    static let pause: UInt32 = 20_000

    let handle: OpaquePointer
    let descriptor: CInt
    let receiveRing: UnsafeMutablePointer<xsk_ring_cons>
    let transmitRing: UnsafeMutablePointer<xsk_ring_prod>
    let fillRing: UnsafeMutablePointer<xsk_ring_prod>
    let completionRing: UnsafeMutablePointer<xsk_ring_cons>

    /// Makes and binds a socket. `binding` counts for the first one of a memory; the others are bound as it is, and wait for a queue
    /// whose last socket was closed a moment ago. After a refusal of the first one the memory is of no more use.
    ///
    /// - Throws: the kernel's error number.
    init(
        interface: String, queue: Int, memory: borrowing UserMemory, binding: Binding, isFirst: Bool
    ) throws(BindFailure) {
        var config = xsk_socket_config()
        config.rx_size = UserMemory.ringSize
        config.tx_size = UserMemory.ringSize
        config.libxdp_flags = UInt32(XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD)
        config.bind_flags = binding.flags
        let receive = UnsafeMutablePointer<xsk_ring_cons>.allocate(capacity: 1)
        let transmit = UnsafeMutablePointer<xsk_ring_prod>.allocate(capacity: 1)
        let fill = UnsafeMutablePointer<xsk_ring_prod>.allocate(capacity: 1)
        let completion = UnsafeMutablePointer<xsk_ring_cons>.allocate(capacity: 1)
        var created: OpaquePointer?
        var error: CInt = 0
        for _ in 0..<(isFirst ? 1 : Self.attempts) {
            receive.initialize(to: xsk_ring_cons())
            transmit.initialize(to: xsk_ring_prod())
            fill.initialize(to: xsk_ring_prod())
            completion.initialize(to: xsk_ring_cons())
            error = xsk_socket__create_shared(
                &created, interface, UInt32(queue), memory.handle, receive, transmit, fill, completion, &config)
            if error != -EBUSY { break }
            usleep(Self.pause)
        }
        guard error == 0, let created else {
            receive.deallocate()
            transmit.deallocate()
            fill.deallocate()
            completion.deallocate()
            throw BindFailure(code: -error)
        }
        handle = created
        receiveRing = receive
        transmitRing = transmit
        fillRing = fill
        completionRing = completion
        descriptor = xsk_socket__fd(created)
        _ = crosspoint_xdp_set_send_budget(descriptor, 256)
        _ = crosspoint_set_send_buffer(descriptor, 16 << 20)
    }

    deinit {
        xsk_socket__delete(handle)
        receiveRing.deallocate()
        transmitRing.deallocate()
        fillRing.deallocate()
        completionRing.deallocate()
    }

    /// The kernel's refusal to make or bind a socket.
    struct BindFailure: Error {
        var code: CInt

        func error(_ port: EnginePort, queue: Int, mode: EngineSettings.Mode) -> EngineError {
            let socket = "port \(port.name): no AF_XDP socket on queue \(queue)"
            switch code {
            case EPERM, EACCES:
                return EngineError(.privileges, "\(socket): not permitted; run as root, or grant NET_RAW")
            case EBUSY:
                return EngineError(.port, "\(socket): another program has one there; stop it, or use another port")
            case EINVAL where queue >= port.queues, ENODEV, ENXIO:
                return EngineError(
                    .port, "\(socket): there is no such queue or interface (it has \(port.queues)); see 'ethtool -l'")
            case EOPNOTSUPP where mode == .zeroCopy && !port.fitsOneBuffer,
                EINVAL where mode == .zeroCopy && !port.fitsOneBuffer:
                return EngineError(
                    .port,
                    "\(socket): its driver does not support zero-copy for frames of several buffers, which an MTU of "
                        + "\(port.mtu) needs; use afxdp: mode auto, or an MTU of \(EnginePort.longestUnsplit) at most")
            case EOPNOTSUPP, EINVAL:
                let remedy =
                    mode == .zeroCopy ? "use afxdp: mode auto, or an interface that has it" : "use engine kernel"
                return EngineError(
                    .port,
                    "\(socket): its driver does not support \(mode == .zeroCopy ? "zero-copy" : "it"); \(remedy)")
            case ENOBUFS, ENOMEM:
                return EngineError(.lockedMemory, "\(socket): memory for its rings is not to be had")
            case ENETDOWN: return EngineError(.port, "\(socket): the interface is down; set it up")
            default: return EngineError(.port, "\(socket): \(String(cString: strerror(code)))")
            }
        }
    }
}

// A UMEM that several sockets of one worker share.

/// Shares a UMEM between its sockets: the last one to go takes it along.
///
/// Belongs to the thread that makes and closes sockets; workers see the frames only.
final class MemoryArea {
    let memory: UserMemory
    let binding: PacketSocket.Binding
    /// Sockets on it. The kernel binds all others by way of the first one, which therefore goes last.
    var sockets = 0

    /// True if the port's frames can be received into it as it is bound.
    func suits(_ port: EnginePort) -> Bool { !binding.isZeroCopy || binding.isMultiBuffer || port.fitsOneBuffer }

    init(frames: Int, binding: PacketSocket.Binding) throws(EngineError) {
        memory = try UserMemory(frames: frames)
        self.binding = binding
    }
}

// Keys of SRTP as what workers have for a flow or a leg.

public import FastPath
public import SRTP
public import SRTPKeys

extension WorkerContext {
    /// The context that encrypts a leg's packets with a key that both ends know.
    public static func sending(_ key: SRTPKey, indices: SentIndices) throws(SRTPError) -> WorkerContext {
        WorkerContext(sender: try SRTPSender(key, indices: indices))
    }

    /// The context that encrypts a leg's packets with keys of a link.
    public static func sending(_ link: LinkDerivation) throws(SRTPError) -> WorkerContext {
        WorkerContext(sender: try SRTPSender(link))
    }

    /// The context that decrypts a flow's packets with keys that both ends know.
    public static func receiving(_ keys: [SRTPKey]) throws(SRTPError) -> WorkerContext {
        WorkerContext(receiver: try SRTPReceiver(keys))
    }

    /// The context that decrypts a flow's packets with keys of a link.
    public static func receiving(_ link: LinkDerivation) -> WorkerContext {
        WorkerContext(receiver: SRTPReceiver(link))
    }

    private convenience init(sender: consuming SRTPSender) {
        let growth = sender.overhead
        let memory = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<SRTPSender>.size, alignment: 64)
            .bindMemory(to: SRTPSender.self, capacity: 1)
        memory.initialize(to: sender)
        self.init(UnsafeMutableRawPointer(memory), growth: growth) { address in
            let sender = address.assumingMemoryBound(to: SRTPSender.self)
            sender.deinitialize(count: 1)
            address.deallocate()
        }
    }

    private convenience init(receiver: consuming SRTPReceiver) {
        let growth = -receiver.overhead
        let memory = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<SRTPReceiver>.size, alignment: 64)
            .bindMemory(to: SRTPReceiver.self, capacity: 1)
        memory.initialize(to: receiver)
        self.init(UnsafeMutableRawPointer(memory), growth: growth) { address in
            let receiver = address.assumingMemoryBound(to: SRTPReceiver.self)
            receiver.deinitialize(count: 1)
            address.deallocate()
        }
    }
}

// The targets by their names, as main.c wants them.

/// The function that libFuzzer calls with each input.
typealias FuzzTarget = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

@_cdecl("srtp_fuzz_target")
public func srtpFuzzTarget(_ name: UnsafePointer<CChar>) -> (@convention(c) (UnsafePointer<UInt8>?, Int) -> CInt)? {
    let targets: [String: FuzzTarget] = [
        "receiver": { data, count in
            ReceiverFuzz.run(Array(UnsafeBufferPointer(start: data, count: count)))
            return 0
        }
    ]
    return targets[String(cString: name)]
}

// The targets by their names, as main.c wants them.

/// The function that libFuzzer calls with each input.
typealias FuzzTarget = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

@_cdecl("rtsp_fuzz_target")
public func rtspFuzzTarget(_ name: UnsafePointer<CChar>) -> (@convention(c) (UnsafePointer<UInt8>?, Int) -> CInt)? {
    let targets: [String: FuzzTarget] = [
        "decoder": { feed(DecoderFuzz.run, $0, $1) },
        "server": { feed(ServerFuzz.run, $0, $1) },
        "client": { feed(ClientFuzz.run, $0, $1) },
        "sdp": { feed(DescriptionFuzz.run, $0, $1) },
        "headers": { feed(HeaderFuzz.run, $0, $1) },
        "keys": { feed(KeyFuzz.run, $0, $1) },
    ]
    return targets[String(cString: name)]
}

private func feed(_ run: ([UInt8]) -> Void, _ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    run(Array(UnsafeBufferPointer(start: data, count: count)))
    return 0
}

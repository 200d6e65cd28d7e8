// The targets by their names, as main.c wants them.

/// The function that libFuzzer calls with each input.
typealias FuzzTarget = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

@_cdecl("sip_fuzz_target")
public func sipFuzzTarget(_ name: UnsafePointer<CChar>) -> (@convention(c) (UnsafePointer<UInt8>?, Int) -> CInt)? {
    let targets: [String: FuzzTarget] = [
        "parser": { feed(ParserFuzz.run, $0, $1) },
        "decoder": { feed(DecoderFuzz.run, $0, $1) },
        "transactions": { feed(TransactionFuzz.run, $0, $1) },
        "sdp": { feed(OfferAnswerFuzz.run, $0, $1) },
        "credentials": { feed(CredentialsFuzz.run, $0, $1) },
    ]
    return targets[String(cString: name)]
}

private func feed(_ run: ([UInt8]) -> Void, _ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    run(Array(UnsafeBufferPointer(start: data, count: count)))
    return 0
}

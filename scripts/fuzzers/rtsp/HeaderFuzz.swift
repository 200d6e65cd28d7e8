// Structured headers and URLs: what is printed of them can be read, and is printed the same again.

import RTSPCore

enum HeaderFuzz {
    static func run(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let transport = TransportHeader(text)
        // Protocols that are not known are printed for people.
        let isKnown = transport?.specifications.allSatisfy { if case .other = $0.profile { false } else { true } }
        if isKnown == true { same(text) { TransportHeader($0) } }
        same(text, RangeHeader.init)
        same(text, SessionHeader.init)
        same(text) { RTPInfoHeader($0) }
        same(text) { MethodList(["Public": $0], "Public") }
        guard let url = RTSPURL(text) else { return }
        same(text) { RTSPURL($0)?.withoutCredentials }
        _ = (url.authority, url.effectiveTCPPort, url.routingPath)
        _ = url.splittingControl { $0.hasPrefix("streamid=") }
        for control in ["*", "streamid=0", "rtsp://other/x", "?a=b", text] { _ = url.resolving(control: control) }
    }

    private static func same<Value: CustomStringConvertible>(_ text: String, _ read: (String) -> Value?) {
        guard let value = read(text) else { return }
        guard let again = read(value.description) else {
            preconditionFailure("\(Value.self): what it prints can be read")
        }
        precondition(again.description == value.description, "\(Value.self): what it prints stays the same")
    }
}

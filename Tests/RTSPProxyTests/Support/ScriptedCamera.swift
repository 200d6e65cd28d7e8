// A camera on a loopback socket, which does as the test says.

import Authentication
import NIOCore
import NIOPosix
import NIOSSL
import RTPWire
import RTSPCore
import Synchronization

/// Serves one presentation of one video stream, and sends packets from PLAY on.
final class ScriptedCamera: Sendable {
    /// What is peculiar about it.
    struct Script: Sendable {
        var media = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 raw/90000\r\na=control:trackID=0\r\n"
        var publicMethods = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"
        /// Answers 461 to UDP.
        var refusesUDP = false
        /// Grants TCP whatever is asked for.
        var answersTCP = false
        /// Grants UDP and sends nothing by it.
        var isSilentByUDP = false
        /// Grants plain RTP whatever is asked for.
        var answersInClear = false
        /// Says nothing of its UDP ports.
        var hidesUDPPorts = false
        /// Sends RTP from this address, and from another UDP port than it says.
        var sendsFrom: String?
        var user: (name: String, password: String)?
        var algorithms: [DigestAlgorithm] = [.sha256, .md5]
        /// Sends those who DESCRIBE there.
        var redirect: String?
        /// Answers DESCRIBE with it.
        var refusal: RTSPStatus?
        var ssrc: UInt32 = 0x1122_3344
        /// Answers nothing from this request on, while its connection stays.
        var freezesAt: RTSPMethod?
        /// Sends a request of its own every so often, also when it answers nothing any more.
        var chat: Duration?
        /// Speaks TLS, with a certificate and its key in PEM files.
        var certificate: (chain: String, key: String)?
        /// Sends no packets before this time after PLAY.
        var wakesUpAfter = Duration.zero
        /// Answers SETUP of the control with the status.
        var refusedControl: (String, RTSPStatus)?
        /// Counts the bytes of its description wrong by so many.
        var lengthError = 0
        /// Closes its connection behind each 401.
        var closesBehindChallenges = false
        /// Answers PLAY with it.
        var playRefusal: RTSPStatus?
        /// Keeps sessions beyond their connections.
        var keepsSessions = false

        init() {}
    }

    private struct State {
        var script: Script
        var requests: [RTSPRequest] = []
        var connections: [ObjectIdentifier: any Channel] = [:]
        var accepted = 0
        var reports: [[UInt8]] = []
        var authentication: AuthenticationServer?
        var session: String?
        var nextSession = 1
        /// Where packets go: nil while it does not play.
        var udp: SocketAddress?
        var tcp: (connection: ObjectIdentifier, channel: UInt8)?
        var isPlaying = false
        var isFrozen = false
        var awakeAt = ContinuousClock.now
        var sequence: UInt16 = 65_500
    }

    private let state: Mutex<State>
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let rtp: any Channel
    private let rtcp: any Channel
    private let other: any Channel
    private let udpPorts: (Int, Int)

    init(_ script: Script = Script()) async throws {
        var initial = State(script: script)
        if let user = script.user {
            var users = UserDatabase()
            try users.set(user: user.name, realm: "camera", password: user.password)
            initial.authentication = AuthenticationServer(
                realm: "camera", users: users, key: [UInt8](repeating: 7, count: 32), algorithms: script.algorithms)
        }
        state = Mutex(initial)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.group = group
        let box = Box()
        func datagrams(_ address: String) async throws -> any Channel {
            try await DatagramBootstrap(group: group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(DatagramReader(box: box))
                    }
                }
                .bind(host: address, port: 0).get()
        }
        rtp = try await datagrams("127.0.0.1")
        rtcp = try await datagrams("127.0.0.1")
        other = try await datagrams(script.sendsFrom ?? "127.0.0.1")
        let tls = try script.certificate.map { certificate in
            try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: NIOSSLCertificate.fromPEMFile(certificate.chain).map { .certificate($0) },
                    privateKey: .privateKey(NIOSSLPrivateKey(file: certificate.key, format: .pem))))
        }
        listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(CameraHandler(box: box))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        url = "\(tls == nil ? "rtsp" : "rtsps")://127.0.0.1:\(listener.localAddress!.port!)/live"
        udpPorts = (rtp.localAddress!.port!, rtcp.localAddress!.port!)
        box.camera.withLock { $0 = WeakCamera(camera: self) }
        group.next().scheduleRepeatedTask(initialDelay: .milliseconds(10), delay: .milliseconds(10)) { [weak self] _ in
            self?.sendPacket()
        }
        guard let chat = script.chat else { return }
        let period = TimeAmount.nanoseconds(Int64(chat / .nanoseconds(1)))
        group.next().scheduleRepeatedTask(initialDelay: period, delay: period) { [weak self] _ in
            self?.request(RTSPRequest(.options, "*", headers: ["CSeq": "7"]))
        }
    }

    func stop() async throws {
        for channel in [listener, rtp, rtcp, other] { try? await channel.close().get() }
        closeConnections()
        try await group.shutdownGracefully()
    }

    // MARK: What a test sees and does

    let url: String
    var requests: [RTSPRequest] { state.withLock { $0.requests } }
    var methods: [RTSPMethod] { requests.map(\.method) }
    var accepted: Int { state.withLock { $0.accepted } }
    /// RTCP that came by UDP or interleaved.
    var reports: [[UInt8]] { state.withLock { $0.reports } }
    var isPlaying: Bool { state.withLock { $0.isPlaying } }
    func setSSRC(_ ssrc: UInt32) { state.withLock { $0.script.ssrc = ssrc } }
    func refusePlay(with status: RTSPStatus?) { state.withLock { $0.script.playRefusal = status } }
    func stopSending() { state.withLock { $0.isPlaying = false } }
    /// Sends and answers nothing any more, or does so again.
    func freeze(_ isFrozen: Bool = true) {
        state.withLock {
            $0.isFrozen = isFrozen
            if isFrozen { $0.isPlaying = false } else { $0.script.freezesAt = nil }
        }
    }

    func closeConnections() {
        let channels = state.withLock { Array($0.connections.values) }
        channels.forEach { $0.close(promise: nil) }
    }

    /// Sends a request to whoever is connected.
    func request(_ request: RTSPRequest) {
        for channel in state.withLock({ Array($0.connections.values) }) {
            channel.writeAndFlush(ByteBuffer(bytes: request.encoded), promise: nil)
        }
    }

    // MARK: Packets

    private func sendPacket() {
        let (packet, udp, tcp, script) = state.withLock {
            state -> ([UInt8], SocketAddress?, (any Channel, UInt8)?, Script) in
            guard state.isPlaying, ContinuousClock.now >= state.awakeAt else { return ([], nil, nil, state.script) }
            state.sequence &+= 1
            let sequence = state.sequence
            let ssrc = state.script.ssrc
            let packet =
                [0x80, 96, UInt8(sequence >> 8), UInt8(sequence & 0xff), 0, 0, 0, 1]
                + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: ssrc >> UInt32($0)) }
                + [UInt8](repeating: 1, count: 100)
            let tcp = state.tcp.flatMap { tcp in state.connections[tcp.connection].map { ($0, tcp.channel) } }
            return (packet, state.udp, tcp, state.script)
        }
        if let (channel, number) = tcp {
            channel.writeAndFlush(
                ByteBuffer(bytes: RTSPMessage.interleaved(channel: number, payload: packet).encoded), promise: nil)
        } else if let udp, !script.isSilentByUDP {
            let socket = script.sendsFrom == nil ? rtp : other
            socket.writeAndFlush(AddressedEnvelope(remoteAddress: udp, data: ByteBuffer(bytes: packet)), promise: nil)
        }
    }

    fileprivate func received(report: [UInt8]) { state.withLock { $0.reports.append(report) } }

    // MARK: Requests

    fileprivate func connected(_ channel: any Channel) {
        state.withLock {
            $0.connections[ObjectIdentifier(channel)] = channel
            $0.accepted += 1
        }
    }

    fileprivate func disconnected(_ channel: any Channel) {
        state.withLock {
            $0.connections[ObjectIdentifier(channel)] = nil
            if !$0.script.keepsSessions { ($0.session, $0.isPlaying) = (nil, false) }
        }
    }

    fileprivate func answer(_ request: RTSPRequest, on channel: any Channel) -> RTSPResponse? {
        let answer = state.withLock { state -> RTSPResponse? in
            state.requests.append(request)
            if request.method == state.script.freezesAt { state.isFrozen = true }
            if state.isFrozen { return nil }
            return Self.answer(
                request, &state, connection: ObjectIdentifier(channel), base: url + "/",
                udpPorts: udpPorts)
        }
        guard var response = answer else { return nil }
        response.headers["CSeq"] = request.headers["CSeq"]
        let script = state.withLock { $0.script }
        if script.lengthError != 0, !response.body.isEmpty {
            response.headers["Content-Length"] = "\(response.body.count + script.lengthError)"
        }
        if script.closesBehindChallenges, response.status.code == 401 {
            channel.writeAndFlush(ByteBuffer(bytes: response.encoded), promise: nil)
            channel.close(promise: nil)
            return nil
        }
        return response
    }

    private static func answer(
        _ request: RTSPRequest, _ state: inout State, connection: ObjectIdentifier, base: String, udpPorts: (Int, Int)
    ) -> RTSPResponse {
        let script = state.script
        if state.authentication != nil, request.method != .options {
            let verdict = state.authentication?.check(
                request.headers.all("Authorization"), method: request.method.name, uris: [request.uri],
                allowsBasic: false, now: 1)
            guard verdict == .authenticated(user: script.user!.name) else {
                var headers = RTSPHeaders()
                var generator = SystemRandomNumberGenerator()
                for value in state.authentication!.challenges(allowsBasic: false, now: 1, using: &generator) {
                    headers.append("WWW-Authenticate", value)
                }
                return RTSPResponse(.unauthorized, headers: headers)
            }
        }
        if let named = request.headers["Session"], named != state.session { return RTSPResponse(.sessionNotFound) }
        switch request.method {
        case .options: return RTSPResponse(.ok, headers: ["Public": script.publicMethods, "Server": "Scripted"])
        case .describe:
            if let refusal = script.refusal { return RTSPResponse(refusal) }
            if let redirect = script.redirect {
                return RTSPResponse(RTSPStatus(302, "Found"), headers: ["Location": redirect])
            }
            let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\na=control:*\r\n" + script.media
            return RTSPResponse(
                .ok, headers: ["Content-Base": base, "Content-Type": "application/sdp"], body: Array(sdp.utf8))
        case .setup: return setUp(request, &state, connection, udpPorts)
        case .play:
            if let refusal = script.playRefusal { return RTSPResponse(refusal) }
            state.isPlaying = true
            state.awakeAt = ContinuousClock.now.advanced(by: script.wakesUpAfter)
            return RTSPResponse(.ok, headers: ["Session": state.session ?? ""])
        case .teardown:
            (state.session, state.isPlaying, state.udp, state.tcp) = (nil, false, nil, nil)
            return RTSPResponse(.ok)
        default: return RTSPResponse(.ok)
        }
    }

    private static func setUp(
        _ request: RTSPRequest, _ state: inout State, _ connection: ObjectIdentifier, _ udpPorts: (Int, Int)
    ) -> RTSPResponse {
        let script = state.script
        if let (control, status) = script.refusedControl, request.uri.hasSuffix(control) { return RTSPResponse(status) }
        guard var transport = TransportHeader(request.headers)?.specifications.first else {
            return RTSPResponse(.badRequest)
        }
        if script.answersTCP, transport.lowerTransport == .udp {
            transport = TransportSpecification(lowerTransport: .tcp, delivery: .unicast, interleaved: .init(0, 1))
        }
        if script.answersInClear { transport.profile = .avp }
        if script.refusesUDP, transport.lowerTransport == .udp { return RTSPResponse(.unsupportedTransport) }
        if state.session == nil {
            state.session = "S\(state.nextSession)"
            state.nextSession += 1
        }
        if transport.delivery == .multicast {
            // The description says where.
        } else if transport.lowerTransport == .tcp {
            state.tcp = (connection, transport.interleaved!.rtp)
        } else {
            state.udp = try! SocketAddress(ipAddress: "127.0.0.1", port: Int(transport.clientUDPPorts!.rtp))
            if !script.hidesUDPPorts {
                transport.serverUDPPorts = .init(UInt16(udpPorts.0), UInt16(udpPorts.1))
            }
        }
        return RTSPResponse(
            .ok, headers: ["Session": "\(state.session!);timeout=60", "Transport": transport.description])
    }
}

/// Lets handlers find the camera that they were made before.
private final class Box: Sendable {
    let camera = Mutex<WeakCamera>(WeakCamera())
    var value: ScriptedCamera? { camera.withLock { $0.camera } }
}

private struct WeakCamera: Sendable {
    weak var camera: ScriptedCamera?
}

private final class CameraHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let box: Box
    private var decoder = RTSPDecoder()

    init(box: Box) { self.box = box }

    func channelActive(context: ChannelHandlerContext) { box.value?.connected(context.channel) }
    func channelInactive(context: ChannelHandlerContext) { box.value?.disconnected(context.channel) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        decoder.append(unwrapInboundIn(data).readableBytesView)
        while let message = try? decoder.next() {
            switch message {
            case .request(let request):
                guard let response = box.value?.answer(request, on: context.channel) else { continue }
                context.writeAndFlush(NIOAny(ByteBuffer(bytes: response.encoded)), promise: nil)
            case .interleaved(let channel, let payload):
                if channel % 2 == 1 { box.value?.received(report: payload) }
            case .response: break
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

private final class DatagramReader: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let box: Box

    init(box: Box) { self.box = box }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        box.value?.received(report: Array(unwrapInboundIn(data).data.readableBytesView))
    }
}

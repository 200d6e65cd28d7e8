"""A camera: GStreamer's RTSP server, with the content of content.py. It tells what it is asked, one line each on standard output:

    ready | request METHOD URL from ADDRESS | session begins | session ends | connection from ADDRESS | received WHAT

With --record it is the other end of a publisher: it takes ANNOUNCE and RECORD, and checks what comes.
"""
import argparse
import signal
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

import content  # noqa: E402
from feed import feed  # noqa: E402

SENDERS = {
    "video": "appsrc name=video is-live=true format=time do-timestamp=true"
    f" caps=video/x-raw,format=UYVY,width={content.WIDTH},height={content.HEIGHT},framerate={content.FRAMES_PER_SECOND}/1"
    " ! rtpvrawpay name=pay{} pt=96 mtu={mtu}",
    "audio": "appsrc name=audio is-live=true format=time do-timestamp=true"
    f" caps=audio/x-raw,format=S16BE,rate={content.RATE},channels=2,layout=interleaved"
    " ! rtpL16pay name=pay{} pt=97 max-ptime={}",
    # For measurements: made and paced by GStreamer itself, one packet a buffer.
    "telephone": "audiotestsrc is-live=true samplesperbuffer={samples} ! audio/x-raw,rate=8000,channels=1 ! alawenc"
    " ! rtppcmapay name=pay{} pt=8 max-ptime={}",
}
RECEIVERS = {
    "video": "rtpvrawdepay name=depay{} ! appsink name=video emit-signals=true sync=false",
    "audio": "rtpL16depay name=depay{} ! appsink name=audio emit-signals=true sync=false",
}
PROTOCOLS = {
    "any": GstRtsp.RTSPLowerTrans.UDP | GstRtsp.RTSPLowerTrans.TCP,
    "udp": GstRtsp.RTSPLowerTrans.UDP,
    "tcp": GstRtsp.RTSPLowerTrans.TCP,
    "multicast": GstRtsp.RTSPLowerTrans.UDP_MCAST,
}
REQUESTS = (
    "options", "describe", "announce", "setup", "play", "record", "pause", "teardown", "get-parameter", "set-parameter",
)


def tell(*words):
    print(*words, flush=True)


def send(_factory, media, kinds):
    """For a newly made media: threads that feed it while it lives."""
    ended = threading.Event()
    media.connect("unprepared", lambda _media: ended.set())
    for kind in kinds:
        element = media.get_element().get_by_name_recurse_up(kind)
        if element:
            threading.Thread(target=feed, args=(element, kind, ended), daemon=True).start()


def receive(_factory, media, kinds):
    """For a newly made media of a publisher: checks what comes, and tells it in the end."""
    checks = {kind: content.CHECKS[kind]() for kind in kinds}
    beginning = []

    def add(sink, kind):
        buffer = sink.emit("pull-sample").get_buffer()
        # Publishers begin with a burst, which overflows the UDP buffers of this server.
        beginning[:] = beginning or [time.monotonic()]
        if time.monotonic() > beginning[0] + 1:
            checks[kind].add(buffer.extract_dup(0, buffer.get_size()))
        return Gst.FlowReturn.OK

    for kind in kinds:
        media.get_element().get_by_name_recurse_up(kind).connect("new-sample", add, kind)

    def end(_media):
        results = [content.result(kind, checks[kind], 1) for kind in kinds]
        problems = [problem for result in results for problem in result["problems"]]
        tell("received", "; ".join(problems) or ", ".join(f"{one['count']} {one['unit']}: right" for one in results))

    media.connect("unprepared", end)


def watch(_server, client):
    tell("connection from", client.get_connection().get_ip())

    def asked(client, context, method):
        tell("request", method.upper().replace("-", "_"), context.uri.get_request_uri() if context.uri else "*",
             "from", client.get_connection().get_ip())

    for method in REQUESTS:
        client.connect(f"{method}-request", asked, method)
    client.connect("new-session", lambda _client, _session: tell("session begins"))


def authentication(kind, user, password, certificate):
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth = GstRtspServer.RTSPAuth()
    if certificate:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(certificate))
    if kind is None:
        auth.set_default_token(token)
    elif kind == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    return auth


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tcp-port", default="8554")
    options.add_argument("--path", default="/cam1")
    options.add_argument("--media", default="video,audio", type=lambda text: text.split(","))
    options.add_argument("--transport", choices=PROTOCOLS, default="any")
    options.add_argument("--group", default="239.30.0.1", help="for multicast")
    options.add_argument("--interface", help="for multicast")
    options.add_argument("--authentication", choices=("basic", "digest"))
    options.add_argument("--user", default="studio:secret")
    options.add_argument("--certificate", help="speak TLS with this one: a PEM file with its key")
    options.add_argument("--srtp", action="store_true", help="encrypt, with keys by MIKEY")
    options.add_argument("--mtu", type=int, default=1400, help="the longest packets of video, bytes")
    options.add_argument("--packet-time", type=int, default=5, help="of audio, ms")
    options.add_argument("--quiet", action="store_true", help="tell nothing of what is asked")
    options.add_argument("--backlog", type=int, default=128, help="of connections")
    options.add_argument("--not-shared", action="store_true", help="every player gets content of its own")
    options.add_argument("--survives", action="store_true", help="sessions by UDP outlive their TCP connection")
    options.add_argument("--record", action="store_true", help="take a publisher instead")
    options = options.parse_args()
    Gst.init(None)

    server = GstRtspServer.RTSPServer()
    server.set_service(options.tcp_port)
    server.set_backlog(options.backlog)
    if not options.quiet:
        server.connect("client-connected", watch)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_shared(not options.not_shared)
    factory.set_protocols(PROTOCOLS[options.transport])
    if options.srtp:
        factory.set_profiles(GstRtsp.RTSPProfile.SAVP)
    factory.set_stop_on_disconnect(not options.survives)
    elements = RECEIVERS if options.record else SENDERS
    factory.set_launch("( " + " ".join(
        elements[kind].format(number, options.packet_time * 1000000, samples=options.packet_time * 8, mtu=options.mtu)
        for number, kind in enumerate(options.media)) + " )")
    if options.record:
        factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
        factory.set_latency(200)
    factory.connect("media-configure", receive if options.record else send, options.media)
    if options.transport == "multicast":
        pool = GstRtspServer.RTSPAddressPool()
        pool.add_range(options.group, options.group, 5000, 5000 + 2 * len(options.media) - 1, 16)
        factory.set_address_pool(pool)
        factory.set_multicast_iface(options.interface)
    if options.authentication or options.certificate:
        server.set_auth(authentication(options.authentication, *options.user.split(":"), options.certificate))
        factory.add_role_from_structure(Gst.Structure.new_from_string(
            "user, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"))
    server.get_mount_points().add_factory(options.path, factory)
    server.get_session_pool().connect("session-removed", lambda _pool, _session: tell("session ends"))

    loop = GLib.MainLoop()
    if server.attach(None) == 0:
        raise SystemExit(f"TCP port {options.tcp_port} is in use")
    GLib.timeout_add_seconds(2, lambda: server.get_session_pool().cleanup() >= 0)
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGTERM, loop.quit)
    tell("ready")
    loop.run()


main()

"""A player: ffmpeg or GStreamer's rtspsrc. Plays a URL, checks what arrives with content.py, and leaves with TEARDOWN.

Prints one line: what came of each stream, or what was wrong; exit code 1 when anything was.
"""
import argparse
import os
import signal
import subprocess
import sys
import threading
import time

import content

FFMPEG_FORMATS = {"video": ("v", "rawvideo"), "audio": ("a", "s16be")}
DEPAYLOADERS = {"video": "rtpvrawdepay", "audio": "rtpL16depay"}


class Checks:
    """The checks of all streams, and the moment when everything that is wanted has come."""

    def __init__(self, kinds, seconds):
        self.required = {kind: seconds * content.FRAMES_PER_SECOND if kind == "video" else seconds for kind in kinds}
        self.checks = {kind: content.CHECKS[kind]() for kind in kinds}
        self.lock = threading.Lock()
        self.done = threading.Event()
        self.first_at = None

    def add(self, kind, octets):
        with self.lock:
            if self.done.is_set():
                return
            if self.first_at is None:
                self.first_at = time.monotonic()
            self.checks[kind].add(octets)
            if all(check.amount >= self.required[kind] for kind, check in self.checks.items()):
                self.done.set()

    def results(self):
        with self.lock:
            return [content.result(kind, check, self.required[kind]) for kind, check in self.checks.items()]


def play_ffmpeg(options, checks):
    outputs, reads, readers = [], [], []
    for kind in options.media:
        reading, writing = os.pipe()
        letter, form = FFMPEG_FORMATS[kind]
        outputs += ["-map", f"0:{letter}", "-c", "copy", "-f", form, "-flush_packets", "1", f"pipe:{writing}"]
        reads.append((kind, reading, writing))
    transport = {"multicast": "udp_multicast"}.get(options.transport, options.transport)
    process = subprocess.Popen(
        ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "warning", "-rtsp_transport", transport,
         "-buffer_size", "4000000", "-i", options.url, *outputs],
        stdin=subprocess.DEVNULL, stdout=sys.stderr, pass_fds=[writing for _, _, writing in reads])

    def read(kind, reading):
        while octets := os.read(reading, 65536):
            checks.add(kind, octets)

    for kind, reading, writing in reads:
        os.close(writing)
        readers.append(threading.Thread(target=read, args=(kind, reading), daemon=True))
        readers[-1].start()
    problems = []
    deadline = time.monotonic() + options.timeout
    while not checks.done.wait(0.05):
        if process.poll() is not None:
            problems.append(f"ffmpeg ended with {process.returncode}")
            break
        if time.monotonic() > deadline:
            problems.append(f"not done after {options.timeout} s")
            break
    # It leaves as for `q`: with TEARDOWN.
    process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        problems.append("ffmpeg did not end")
    return problems


def play_gstreamer(options, checks):
    import gi

    gi.require_version("Gst", "1.0")
    from gi.repository import Gio, Gst

    Gst.init(None)
    pipeline = Gst.Pipeline()
    source = Gst.ElementFactory.make("rtspsrc")
    for name, value in (
        ("location", options.url), ("latency", 200), ("udp-buffer-size", 4000000),
        ("protocols", {"multicast": "udp-mcast", "any": "udp+tcp"}.get(options.transport, options.transport)),
        # It stays with the transport that it is told.
        ("timeout", 0), ("teardown-timeout", 2000000000), ("do-retransmission", False),
        # Otherwise it sends random octets to where it hears media, to open firewalls. In a group other players hear them, and take every
        # fourth packet for RTP.
        ("nat-method", "none" if options.transport == "multicast" else "dummy"),
    ):
        Gst.util_set_object_arg(source, name, str(value))
    if options.interface:
        source.set_property("multicast-iface", options.interface)
    if options.authorities:
        source.set_property("tls-database", Gio.TlsFileDatabase.new(options.authorities))
    pipeline.add(source)

    def on_sample(sink, kind):
        buffer = sink.emit("pull-sample").get_buffer()
        checks.add(kind, buffer.extract_dup(0, buffer.get_size()))
        return Gst.FlowReturn.OK

    def on_pad(_source, pad):
        kind = pad.get_current_caps().get_structure(0).get_string("media")
        if kind not in options.media:
            return
        depayloader = Gst.ElementFactory.make(DEPAYLOADERS[kind])
        sink = Gst.ElementFactory.make("appsink")
        sink.set_property("emit-signals", True)
        sink.set_property("sync", False)
        sink.connect("new-sample", on_sample, kind)
        for element in (depayloader, sink):
            pipeline.add(element)
        depayloader.link(sink)
        for element in (sink, depayloader):
            element.sync_state_with_parent()
        pad.link(depayloader.get_static_pad("sink"))

    source.connect("pad-added", on_pad)
    source.connect("select-stream", lambda _source, _number, caps: caps.get_structure(0).get_string("media") in options.media)
    pipeline.set_state(Gst.State.PLAYING)
    bus = pipeline.get_bus()
    problems = []
    deadline = time.monotonic() + options.timeout
    while not checks.done.is_set() and not problems:
        message = bus.timed_pop_filtered(50 * Gst.MSECOND, Gst.MessageType.ERROR | Gst.MessageType.EOS)
        if message is not None and message.type == Gst.MessageType.ERROR:
            problems.append(f"GStreamer: {message.parse_error()[0].message}")
        elif message is not None:
            problems.append("the stream ended")
        elif time.monotonic() > deadline:
            problems.append(f"not done after {options.timeout} s")
    pipeline.set_state(Gst.State.NULL)
    return problems


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("peer", choices=("ffmpeg", "gstreamer"))
    options.add_argument("transport", choices=("udp", "tcp", "multicast", "http", "https", "any"),
                         help="http, https: ffmpeg alone, RTSP within it; any: GStreamer alone; UDP, and TCP where that is refused")
    options.add_argument("url")
    options.add_argument("--media", default="video,audio", type=lambda text: text.split(","))
    options.add_argument("--seconds", type=float, default=2, help="of media that must come")
    options.add_argument("--timeout", type=float, default=20)
    options.add_argument("--interface", help="for multicast")
    options.add_argument("--authorities", help="of TLS, a PEM file; ffmpeg believes every certificate")
    options = options.parse_args()
    checks = Checks(options.media, options.seconds)
    began = time.monotonic()
    problems = (play_ffmpeg if options.peer == "ffmpeg" else play_gstreamer)(options, checks)
    results = checks.results()
    problems += [problem for result in results for problem in result["problems"]]
    name = f"{options.peer} by {options.transport}: "
    if problems:
        print(name + "; ".join(problems))
        sys.exit(1)
    began_after = f"after {checks.first_at - began:.2f} s"
    print(name + ", ".join(f"{one['count']} {one['unit']} from {one['first']} on" for one in results), began_after)


main()

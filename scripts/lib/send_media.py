"""Plays a camera: uncompressed 4:2:2 10-bit video (RFC 4175) and 24-bit audio (RFC 3190), made and sent by GStreamer.

Writes the hash of each video frame, and of each second of audio, as it was before it was cut into packets, one line each, so
that what receivers put together again can be held against it.
"""
import argparse
import hashlib
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402


def endpoint(text):
    address, _, port = text.rpartition(":")
    return address, int(port)


class Record:
    """The hashes of what passes a pad, in blocks of so many bytes (a frame, a second of audio)."""

    def __init__(self, path, block_bytes):
        self.file = open(path, "w", encoding="ascii")
        self.block_bytes = block_bytes
        self.filled = 0
        self.hash = hashlib.blake2b(digest_size=16)

    def add(self, _pad, info):
        ok, view = info.get_buffer().map(Gst.MapFlags.READ)
        if not ok:
            raise RuntimeError("cannot read a buffer of GStreamer's")
        data = memoryview(view.data)
        while data:
            part = data[: self.block_bytes - self.filled]
            self.hash.update(part)
            self.filled += len(part)
            data = data[len(part):]
            if self.filled == self.block_bytes:
                self.file.write(self.hash.hexdigest() + "\n")
                self.filled = 0
                self.hash = hashlib.blake2b(digest_size=16)
        view = None
        return Gst.PadProbeReturn.OK


def main():
    options = argparse.ArgumentParser(description="Sends test video and audio as RTP, and records what it sent.")
    options.add_argument("--interface", required=True, help="where to send")
    options.add_argument("--video", type=endpoint, required=True, metavar="ADDRESS:UDPPORT")
    options.add_argument("--audio", type=endpoint, required=True, metavar="ADDRESS:UDPPORT")
    options.add_argument("--size", required=True, metavar="WIDTHxHEIGHT")
    options.add_argument("--rate", type=int, required=True, help="frames per second")
    options.add_argument("--seconds", type=int, required=True)
    options.add_argument("--video-record", required=True, metavar="FILE")
    options.add_argument("--audio-record", required=True, metavar="FILE")
    options = options.parse_args()

    width, height = (int(part) for part in options.size.split("x"))
    sink = f"udpsink multicast-iface={options.interface} auto-multicast=false ttl-mc=32 async=false buffer-size=4000000"
    Gst.init(None)
    # 1452 octets of RTP make the 1460 octets of UDP that ST 2110-10 takes as its standard limit.
    # Colour bars that scroll, with noise in a corner: no two frames are alike. Audio is noise: no two packets are alike.
    pipeline = Gst.parse_launch(
        f"videotestsrc is-live=true pattern=smpte horizontal-speed=4 num-buffers={options.rate * options.seconds}"
        f" ! video/x-raw,format=UYVP,width={width},height={height},framerate={options.rate}/1"
        f" ! rtpvrawpay name=video pt=96 mtu=1452 ! {sink} host={options.video[0]} port={options.video[1]}"
        f" audiotestsrc is-live=true wave=white-noise samplesperbuffer=48 num-buffers={1000 * options.seconds}"
        " ! audio/x-raw,format=S24BE,rate=48000,channels=2"
        " ! rtpL24pay name=audio pt=97 min-ptime=1000000 max-ptime=1000000"
        f" ! {sink} host={options.audio[0]} port={options.audio[1]}"
    )
    for name, path, block_bytes in (
        ("video", options.video_record, width * height * 5 // 2),
        ("audio", options.audio_record, 48000 * 2 * 3),
    ):
        record = Record(path, block_bytes)
        pipeline.get_by_name(name).get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, record.add)

    loop = GLib.MainLoop()
    failures = []

    def on_message(_bus, message):
        if message.type == Gst.MessageType.ERROR:
            failures.append(message.parse_error()[0].message)
        if message.type in (Gst.MessageType.ERROR, Gst.MessageType.EOS):
            loop.quit()

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message)
    GLib.timeout_add_seconds(10 * options.seconds + 20, lambda: (failures.append("took too long"), loop.quit()) and False)
    pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    pipeline.set_state(Gst.State.NULL)
    if failures:
        sys.exit(f"GStreamer: {failures[0]}")


main()

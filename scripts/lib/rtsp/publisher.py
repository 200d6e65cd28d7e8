"""A publisher: ffmpeg or GStreamer's rtspclientsink, with the content of content.py. Publishes for so long, or until SIGTERM, and
leaves with TEARDOWN. Prints `publishing` when it begins; exit code 1 when it could not.
"""
import argparse
import os
import signal
import subprocess
import sys
import threading

import content

FFMPEG_INPUTS = {
    "video": ["-f", "rawvideo", "-pixel_format", "uyvy422", "-video_size", f"{content.WIDTH}x{content.HEIGHT}",
              "-framerate", str(content.FRAMES_PER_SECOND)],
    "audio": ["-f", "s16be", "-ar", str(content.RATE), "-ac", "2", "-guess_layout_max", "2"],
}
CAPS = {
    "video": f"video/x-raw,format=UYVY,width={content.WIDTH},height={content.HEIGHT},"
    f"framerate={content.FRAMES_PER_SECOND}/1",
    "audio": f"audio/x-raw,format=S16BE,rate={content.RATE},channels=2,layout=interleaved",
}


def write(descriptor, media, ended):
    source = content.Source(media)
    try:
        while not ended.is_set():
            view = source.next()
            while view:
                view = view[os.write(descriptor, view):]
    except BrokenPipeError:
        pass
    os.close(descriptor)


def publish_ffmpeg(options, ended):
    inputs, pipes = [], []
    for kind in options.media:
        reading, writing = os.pipe()
        pipes.append((kind, reading, writing))
        inputs += ["-thread_queue_size", "512", *FFMPEG_INPUTS[kind], "-i", f"pipe:{reading}"]
    maps = [word for number in range(len(pipes)) for word in ("-map", str(number))]
    process = subprocess.Popen(
        ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "warning", "-fflags", "nobuffer", "-probesize", "32",
         *inputs, *maps, "-c:a", "copy", "-c:v", "rawvideo",
         # Unless told otherwise it says `interlace` in its SDP.
         "-field_order", "progressive", "-f", "rtsp", "-rtsp_transport", options.transport, options.url],
        stdin=subprocess.DEVNULL, pass_fds=[reading for _, reading, _ in pipes])
    for kind, reading, writing in pipes:
        os.close(reading)
        threading.Thread(target=write, args=(writing, kind, ended), daemon=True).start()
    # When its inputs end, ffmpeg ends by itself; it may end earlier, badly.
    while process.poll() is None and not ended.wait(0.1):
        pass
    try:
        return process.wait(10) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        return False


def publish_gstreamer(options, ended):
    import gi

    gi.require_version("Gst", "1.0")
    from gi.repository import Gst

    from feed import feed

    Gst.init(None)
    # It chooses the payloaders: rtpvrawpay and rtpL16pay.
    pipeline = Gst.parse_launch(
        f"rtspclientsink name=sink location={options.url} protocols={options.transport} "
        + " ".join(f"appsrc name={kind} is-live=true format=time do-timestamp=true caps={CAPS[kind]} ! sink.sink_{number}"
                   for number, kind in enumerate(options.media)))

    def publish(element, kind):
        feed(element, kind, ended)
        element.emit("end-of-stream")

    for kind in options.media:
        threading.Thread(target=publish, args=(pipeline.get_by_name(kind), kind), daemon=True).start()
    pipeline.set_state(Gst.State.PLAYING)
    bus = pipeline.get_bus()
    is_right = True
    while not ended.is_set():
        message = bus.timed_pop_filtered(100 * Gst.MSECOND, Gst.MessageType.ERROR)
        if message is not None:
            print(f"GStreamer: {message.parse_error()}", file=sys.stderr)
            is_right = False
            break
    ended.set()
    pipeline.set_state(Gst.State.NULL)
    return is_right


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("peer", choices=("ffmpeg", "gstreamer"))
    options.add_argument("transport", choices=("udp", "tcp"))
    options.add_argument("url")
    options.add_argument("--media", default="video,audio", type=lambda text: text.split(","))
    options.add_argument("--seconds", type=float, default=3600)
    options = options.parse_args()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    timer = threading.Timer(options.seconds, ended.set)
    timer.daemon = True
    timer.start()
    print("publishing", flush=True)
    is_right = (publish_ffmpeg if options.peer == "ffmpeg" else publish_gstreamer)(options, ended)
    sys.exit(0 if is_right else 1)


main()

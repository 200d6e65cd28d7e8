"""Hands the content of content.py to GStreamer, for camera.py and publisher.py."""
from gi.repository import Gst

import content


def feed(element, media, ended):
    """Pushes content into an appsrc (do-timestamp) in real time, until `ended` is set or the element takes no more.

    Only an element that plays knows when its time began. One that is about to play has a clock already, and stamps what it gets with
    the clock's own time: its sink would wait until then, which is for days.
    """
    while element.get_state(0).state != Gst.State.PLAYING and not ended.wait(0.002):
        pass
    source = content.Source(media)
    while not ended.is_set():
        buffer = Gst.Buffer.new_wrapped(source.next())
        # Between its states the element flushes what it gets.
        while (result := element.emit("push-buffer", buffer)) == Gst.FlowReturn.FLUSHING and not ended.wait(0.002):
            pass
        if result != Gst.FlowReturn.OK:
            return

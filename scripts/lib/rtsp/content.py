"""What the peers of scripts/tests/rtsp-interop.sh send, and how what arrives is checked: bit by bit, and without a gap.

Video is 160x90 in UYVY at 25 frames a second, audio is two channels of L16 at 48 kHz. Every frame and every pair of samples is a
pure function of its number, so whoever receives one can tell its number, all that it must consist of, and what comes next.

    content.py send video|audio SECONDS         writes it to standard output, in its own time
    content.py file SECONDS                     writes audio as an AU file to standard output, at once
    content.py check video|audio [COUNT]        reads from standard input until its end, or so many frames or seconds, and prints
                                                what was found; exit code 1 when something is wrong
"""
import array
import random
import struct
import sys
import time

WIDTH, HEIGHT, FRAMES_PER_SECOND = 160, 90, 25
FRAME_BYTES = WIDTH * HEIGHT * 2
RATE = 48000
SAMPLE_BYTES = 4
# Odd, so that the product tells the number; 0x9e3779b1 spreads successive numbers over all bits.
FACTOR = 0x9E3779B1
INVERSE = pow(FACTOR, -1, 1 << 32)
NOISE = random.Random(2110).randbytes(2 * FRAME_BYTES)
MARK = b"XPNT"


def frame(number):
    """The frame with this number."""
    offset = number * 7919 % FRAME_BYTES
    return MARK + struct.pack("!I", number) + NOISE[offset:offset + FRAME_BYTES - 8]


def samples(first, count):
    """`count` pairs of samples from number `first` on, big endian."""
    words = array.array("I", (number * FACTOR & 0xFFFFFFFF for number in range(first, first + count)))
    if sys.byteorder == "little":
        words.byteswap()
    return words.tobytes()


class VideoCheck:
    """Takes a stream of frames. The first may be part of one, since a player may come in the middle of it."""

    unit = "frames"

    def __init__(self):
        self.rest = b""
        self.count = 0
        self.first = self.last = None
        self.partial = 0
        self.problems = []

    def add(self, octets):
        self.rest += octets
        while len(self.rest) >= FRAME_BYTES:
            self.add_frame(self.rest[:FRAME_BYTES])
            self.rest = self.rest[FRAME_BYTES:]

    def add_frame(self, octets):
        number = struct.unpack("!I", octets[4:8])[0]
        if octets[:4] != MARK or octets != frame(number):
            if self.count == 0 and self.partial == 0:
                self.partial = 1
            else:
                self.problems.append(f"the frame after {self.last} is not as it was sent")
            return
        if self.last is not None and number != self.last + 1:
            self.problems.append(f"frame {number} follows {self.last}")
        if self.first is None:
            self.first = number
        self.last = number
        self.count += 1

    @property
    def amount(self):
        return self.count


class AudioCheck:
    """Takes a stream of pairs of samples; the first may be any."""

    unit = "samples"
    partial = 0

    def __init__(self):
        self.rest = b""
        self.count = 0
        self.first = self.last = None
        self.problems = []

    def add(self, octets):
        octets = self.rest + octets
        whole = len(octets) // SAMPLE_BYTES * SAMPLE_BYTES
        octets, self.rest = octets[:whole], octets[whole:]
        while octets:
            number = struct.unpack("!I", octets[:4])[0] * INVERSE & 0xFFFFFFFF
            if self.last is not None and number != self.last + 1:
                self.problems.append(f"sample {number} follows {self.last}")
            if self.first is None:
                self.first = number
            good = self.matching(octets, number)
            self.count += good
            self.last = number + good - 1
            octets = octets[good * SAMPLE_BYTES:]
            # Noise would make a problem of every sample.
            if len(self.problems) > 20:
                return

    @staticmethod
    def matching(octets, number):
        """How many pairs are right from the beginning: at least 1."""
        expected = samples(number, len(octets) // SAMPLE_BYTES)
        if octets == expected:
            return len(octets) // SAMPLE_BYTES
        for position in range(0, len(octets), SAMPLE_BYTES):
            if octets[position:position + SAMPLE_BYTES] != expected[position:position + SAMPLE_BYTES]:
                return position // SAMPLE_BYTES
        return len(octets) // SAMPLE_BYTES

    @property
    def amount(self):
        """In seconds."""
        return self.count / RATE


CHECKS = {"video": VideoCheck, "audio": AudioCheck}


def result(media, check, required):
    """What a check found; `required` is the amount that must have come."""
    problems = check.problems[:5]
    if check.amount < required:
        problems.append(f"only {check.count} {check.unit} came")
    return {
        "media": media, "count": check.count, "unit": check.unit, "first": check.first, "last": check.last,
        "problems": [f"{media}: {problem}" for problem in problems],
    }


class Source:
    """Hands out the content of one kind in real time: `next` waits for the moment of the next piece. Nothing is left out, and
    whoever fetches late gets no burst: a burst overflows what receivers have as buffers."""

    def __init__(self, media):
        self.media = media
        # Frames of video; 5 ms of audio.
        self.per_second = FRAMES_PER_SECOND if media == "video" else 200
        self.beginning = time.monotonic()
        self.number = 0

    def next(self):
        delay = self.beginning + self.number / self.per_second - time.monotonic()
        if delay > 0:
            time.sleep(delay)
        elif delay < -2 / self.per_second:
            self.beginning -= delay
        number = self.number
        self.number += 1
        if self.media == "video":
            return frame(number)
        count = RATE // self.per_second
        return samples(number * count, count)

    @property
    def seconds(self):
        return self.number / self.per_second


def main():
    what, *arguments = sys.argv[1:]
    if what == "send":
        source = Source(arguments[0])
        while source.seconds < float(arguments[1]):
            sys.stdout.buffer.write(source.next())
            sys.stdout.buffer.flush()
    elif what == "file":
        count = int(float(arguments[0]) * RATE)
        sys.stdout.buffer.write(struct.pack("!4s5I", b".snd", 24, count * SAMPLE_BYTES, 3, RATE, 2))
        for first in range(0, count, RATE):
            sys.stdout.buffer.write(samples(first, min(RATE, count - first)))
    elif what == "check":
        check = CHECKS[arguments[0]]()
        required = float(arguments[1]) if len(arguments) > 1 else 0
        while octets := sys.stdin.buffer.read1(65536):
            check.add(octets)
            if 0 < required <= check.amount:
                break
        found = result(arguments[0], check, max(required, 1 / RATE))
        print(found)
        sys.exit(1 if found["problems"] else 0)
    else:
        sys.exit(f"{what}: not something that this script does")


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.exit(0)

"""baresip, a user agent: configured, commanded, and listened to.

    baresip.py prepare DIRECTORY USER ADDRESS INTERFACE TRANSPORT CODEC SECONDS [--authorities FILE] [--certificate FILE]
                             [--register NODE --name NAME] [--srtp]
                                            configuration, account, and something to say; CODEC is l16 or opus
    baresip.py tell ADDRESS COMMAND [ARGUMENT]    over its control connection
    baresip.py same SAID HEARD              whether what was heard (L16) is what was said, sample by sample
    baresip.py tone HEARD FREQUENCY         whether it is that tone, and loud

Both sides of a call say other things: noise that is a function of the user's name, or, with Opus, a tone.
"""
import argparse
import glob
import json
import math
import os
import socket
import struct
import sys
import wave

RATE = 48000
CONTROL_PORT = 4444
TONES = {"alice": 440, "bob": 660}
# The time in one packet, so that a packet of L16 fits into a frame.
PACKET_TIME = {"l16": 10, "opus": 20}
CODECS = {"l16": ("L16/48000/1", 1), "opus": ("opus/48000/2", 2)}


def noise(user, seconds):
    state = sum(user.encode()) + 1
    for _ in range(RATE * seconds):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        yield ((state >> 8) & 0x3FFF) - 0x2000


def tone(user, seconds):
    return (int(12000 * math.sin(2 * math.pi * TONES[user] * index / RATE)) for index in range(RATE * seconds))


def write_source(path, user, codec, seconds):
    channels = CODECS[codec][1]
    samples = [sample for sample in (noise if codec == "l16" else tone)(user, seconds) for _ in range(channels)]
    with wave.open(path, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def prepare(options):
    directory = options.directory
    os.makedirs(os.path.join(directory, "heard"), exist_ok=True)
    codec, channels = CODECS[options.codec]
    source = os.path.join(directory, "said.wav")
    write_source(source, options.user, options.codec, options.seconds)
    lines = [
        f"sip_listen {options.address}:5060", f"net_interface {options.interface}", "call_local_timeout 60", "call_max_calls 4",
        # Nobody listens; what was decoded is written to a file.
        "audio_player aubridge,nobody", "audio_alert aubridge,alert", f"audio_source aufile,{source}",
        f"ausrc_srate {RATE}", f"auplay_srate {RATE}", f"ausrc_channels {channels}", f"auplay_channels {channels}",
        "audio_txmode thread", "rtp_ports 17000-17099", "rtcp_mux no", "jitter_buffer_delay 5-10", "opus_bitrate 64000",
        "module_path /usr/lib/baresip/modules",
        *(f"module {name}.so" for name in ("l16", "opus", "g711", "sndfile", "aufile", "aubridge")),
        f"snd_path {os.path.join(directory, 'heard')}",
        "module_tmp uuid.so", "module_tmp account.so", "module_app menu.so", "module_app ctrl_tcp.so",
        f"ctrl_tcp_listen {options.address}:{CONTROL_PORT}",
    ]
    if options.certificate:
        lines.append(f"sip_certificate {options.certificate}")
    if options.authorities:
        lines.append(f"sip_cafile {options.authorities}")
    port = 5061 if options.transport == "tls" else 5060
    account = (
        f"<sip:{options.user}@{options.address}:{port};transport={options.transport}>;regint=0;answermode=auto"
        f";audio_codecs={codec};ptime={PACKET_TIME[options.codec]}")
    if options.srtp:
        lines.append("module srtp.so")
        account += ";mediaenc=srtp-mand"
    if options.register:
        account = (
            f"<sip:{options.name}@{options.register};transport={options.transport}>;auth_user={options.name};auth_pass=secret;regint=600;answermode=auto"
            f";audio_codecs={codec};ptime={PACKET_TIME[options.codec]}")
    for name, text in (("config", "\n".join(lines)), ("accounts", account), ("contacts", "")):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(text + "\n")


def tell(options):
    message = {"command": options.command, "token": "test"}
    if options.argument:
        message["params"] = options.argument
    text = json.dumps(message)
    with socket.create_connection((options.address, CONTROL_PORT), timeout=10) as connection:
        connection.sendall(f"{len(text)}:{text},".encode())
        # Events may come first.
        received = b""
        while b'"token":"test"' not in received:
            piece = connection.recv(4096)
            if not piece:
                sys.exit("baresip ended the connection")
            received += piece


def samples_of(path):
    with open(path, "rb") as file:
        data = file.read()
    # The file may still grow: its header does not say yet how long it is.
    return data[44:len(data) - len(data) % 2]


def newest(directory, kind):
    found = sorted(glob.glob(os.path.join(directory, "heard", f"*-{kind}.wav")))
    if not found:
        sys.exit(f"{directory}: nothing was {'heard' if kind == 'dec' else 'said'}")
    return samples_of(found[-1])


def same(options):
    """At least a second of what was heard is what was said, without a difference, wherever in it."""
    said = newest(options.said, "enc")
    heard = newest(options.heard, "dec")
    second = RATE * 2
    for start in range(0, len(heard) - second, RATE // 2):
        piece = heard[start:start + second]
        if piece.count(0) < second // 2 and piece in said:
            return
    sys.exit(f"no second of the {len(heard) / second:.1f} s that were heard is what was said")


def is_tone(options):
    data = newest(options.heard, "dec")
    samples = struct.unpack(f"<{len(data) // 2}h", data)[::2]
    best = 0.0
    level = 0.0
    for start in range(0, len(samples) - RATE // 2, RATE // 4):
        piece = samples[start:start + RATE // 2]
        energy = sum(sample * sample for sample in piece)
        step = 2 * math.pi * options.frequency / RATE
        real = sum(sample * math.cos(step * index) for index, sample in enumerate(piece))
        imaginary = sum(sample * math.sin(step * index) for index, sample in enumerate(piece))
        # A pure tone has all its energy there.
        share = 2 * (real * real + imaginary * imaginary) / len(piece) / energy if energy else 0
        if share > best:
            best = share
            level = math.sqrt(energy / len(piece))
    if best < 0.9 or level < 3000:
        sys.exit(f"what was heard is not a tone of {options.frequency} Hz: {best:.2f} of its energy, level {level:.0f}")


def main():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("prepare")
    for name in ("directory", "user", "address", "interface", "transport", "codec"):
        verb.add_argument(name)
    verb.add_argument("seconds", type=int)
    for name in ("--authorities", "--certificate", "--register", "--name"):
        verb.add_argument(name)
    verb.add_argument("--srtp", action="store_true", help="takes and gives SRTP only")
    verb.set_defaults(run=prepare)
    verb = verbs.add_parser("tell")
    verb.add_argument("address")
    verb.add_argument("command")
    verb.add_argument("argument", nargs="?")
    verb.set_defaults(run=tell)
    verb = verbs.add_parser("same")
    verb.add_argument("said")
    verb.add_argument("heard")
    verb.set_defaults(run=same)
    verb = verbs.add_parser("tone")
    verb.add_argument("heard")
    verb.add_argument("frequency", type=int)
    verb.set_defaults(run=is_tone)
    options = parser.parse_args()
    options.run(options)


main()

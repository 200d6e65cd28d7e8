#!/usr/bin/python3
"""A camera on plain sockets, good or hostile: as many sessions as anybody wants, one stream of small RTP packets each.

    camera.py ADDRESS TCPPORT [--silent TCPPORT] [--hostile] [--seed NUMBER]

Sends 100 packets a second to each session, and 1,000 where the path contains `fast`. On --silent it accepts connections and never answers.
--hostile: every connection gets a way to misbehave, in a state of the session: it freezes, floods with requests or packets, lies, sends
what is no RTSP, or closes. Prints `ready`, and one line of JSON at the end: how often each way met which request.
"""
import argparse
import asyncio
import json
import random
import re
import signal
import socket
import struct

METHODS = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER", "TEARDOWN")
WAYS = ("freeze", "close", "flood", "packets", "lie", "garbage", "endless", "redirect", "late", "good")
LIES = (
    {"CSeq": "4294967295"}, {"CSeq": "x"}, {"Session": "a" * 5000}, {"Session": ""}, {"Session": "1;timeout=99999999999999999999"},
    {"Session": "1;timeout=0"}, {"Transport": "RTP/AVP;unicast;server_port=0-0;source=127.0.0.1"},
    {"Transport": "RTP/AVP;multicast;destination=224.0.0.1;port=1-2"}, {"Transport": "RTP/AVP/TCP;interleaved=255-255"},
    {"Transport": ""}, {"Content-Length": "-1"}, {"Content-Length": "99999999999"}, {"Content-Base": "rtsp://[::"},
    {"RTP-Info": "url=" + "," * 3000}, {"Public": "PLAY"}, {"WWW-Authenticate": 'Digest realm="x", nonce="y"'},
)
BODIES = (
    "v=0\r\n", "", "m=video 0 RTP/AVP 96\r\n" * 3000, "v=0\r\nm=video 99999 RTP/AVP 96\r\na=rtpmap:96 H264/0\r\n",
    "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=x\r\nt=0 0\r\nc=IN IP4 127.0.0.1\r\nm=audio 1 RTP/AVP 0\r\na=control:rtsp://127.0.0.1/\r\n",
    "\0" * 100, "v=0\r\n" + "a=x\r\n" * 20000,
)


class Camera:
    def __init__(self, options):
        self.hostile = options.hostile
        self.random = random.Random(options.seed)
        self.players = {}
        self.met = {}
        self.number = 0
        self.address = options.address
        self.rtp = socket.socket(socket.AF_INET6 if ":" in options.address else socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind((options.address, 0))
        self.rtp.setblocking(False)

    async def pace(self):
        """One turn a millisecond; most sessions get a packet in every tenth."""
        turn = 0
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            turn += 1
            for player in list(self.players.values()):
                if player.playing and (player.fast or turn % 10 == 0):
                    player.send_packet()
            due += 0.001
            await asyncio.sleep(max(0, due - loop.time()))

    async def serve(self, reader, writer):
        self.number += 1
        player = Player(self, writer)
        self.players[self.number] = player
        key = self.number
        try:
            await player.run(reader)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass
        finally:
            del self.players[key]
            writer.close()

    @staticmethod
    async def ignore(reader, writer):
        while await reader.read(65536):
            pass
        writer.close()


class Player:
    def __init__(self, camera, writer):
        self.camera, self.writer = camera, writer
        self.playing = self.fast = self.interleaved = False
        self.to = None
        self.sequence = camera.random.randrange(65536)
        self.way = camera.random.choice(WAYS) if camera.hostile else "good"
        self.at = camera.random.choice(METHODS)
        self.tasks = []

    def send_packet(self, length=188):
        self.sequence = (self.sequence + 1) & 0xFFFF
        packet = struct.pack("!BBHII", 0x80, 96, self.sequence, self.sequence * 900, 7) + b"x" * length
        try:
            if self.interleaved:
                if self.writer.transport.get_write_buffer_size() < 1 << 20:
                    self.writer.write(b"$\0" + struct.pack("!H", len(packet)) + packet)
            elif self.to:
                self.camera.rtp.sendto(packet, self.to)
        except OSError:
            pass

    async def run(self, reader):
        try:
            while True:
                first = await reader.readexactly(1)
                if first == b"$":
                    _, length = struct.unpack("!BH", await reader.readexactly(3))
                    await reader.readexactly(length)
                    continue
                head = first + await reader.readuntil(b"\r\n\r\n")
                text = head.decode(errors="replace")
                length = re.search(r"(?im)^content-length:\s*(\d+)", text)
                if length:
                    await reader.readexactly(int(length.group(1)))
                if not text.startswith("RTSP/") and not await self.answer(text):
                    return
                await self.writer.drain()
        finally:
            for task in self.tasks:
                task.cancel()

    async def answer(self, text):
        """Answers a request; false to close."""
        method, url = text.split(" ")[:2]
        sequence = (re.search(r"(?im)^cseq:\s*(\S+)", text) or [None, "0"])[1]
        status, headers, body = "200 OK", {"CSeq": sequence}, ""
        if method == "OPTIONS":
            headers["Public"] = ", ".join(METHODS)
        elif method == "DESCRIBE":
            headers |= {"Content-Type": "application/sdp", "Content-Base": url + "/"}
            body = (
                f"v=0\r\no=- 1 1 IN IP4 {self.camera.address}\r\ns=x\r\nt=0 0\r\na=control:*\r\n"
                "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n"
            )
        elif method == "SETUP":
            transport = (re.search(r"(?im)^transport:\s*(.*?)\r?$", text) or [None, ""])[1]
            ports = re.search(r"client_port=(\d+)", transport)
            self.interleaved = "TCP" in transport
            if ports:
                self.to = (self.writer.get_extra_info("peername")[0], int(ports.group(1)))
                transport += f";server_port={self.camera.rtp.getsockname()[1]}-{self.camera.rtp.getsockname()[1] + 1}"
            headers |= {"Session": "s;timeout=60", "Transport": transport}
        elif method == "PLAY":
            self.playing, self.fast = True, "fast" in url
            headers["Session"] = "s"
        elif method == "TEARDOWN":
            self.playing = False
        # A keep-alive may be either of two.
        is_here = self.at == method or self.at == "GET_PARAMETER" and method == "OPTIONS" and self.playing
        if self.way != "good" and is_here:
            self.camera.met[f"{self.way} {self.at}"] = self.camera.met.get(f"{self.way} {self.at}", 0) + 1
            return await self.misbehave(method, url, headers, body)
        self.reply(status, headers, body)
        return True

    def reply(self, status, headers, body):
        headers = dict(headers)
        if body:
            headers.setdefault("Content-Length", str(len(body)))
        lines = [f"RTSP/1.0 {status}", *(f"{name}: {value}" for name, value in headers.items())]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    async def misbehave(self, method, url, headers, body):
        choose = self.camera.random.choice
        if self.way == "freeze":
            self.playing = choose((True, False)) and self.playing
            await asyncio.sleep(3600)
        if self.way == "close":
            return False
        if self.way == "flood":
            self.tasks.append(asyncio.ensure_future(self.flood(choose((800, 800, 20000)))))
            if choose((True, False)):
                return True
        if self.way == "packets":
            self.writer.write(b"".join(b"$" + bytes([choose((0, 1, 2, 255))]) + struct.pack("!H", size) + b"x" * size
                                       for size in (0, 1, 12, 1400, 65535) * 20))
        if self.way == "lie":
            headers = headers | choose(LIES)
            if method == "DESCRIBE" and choose((True, False)):
                body = choose(BODIES)
            self.reply(choose(("200 OK", "200 OK", "401 Unauthorized", "454 Session Not Found", "461 x", "999 ?", "100 Continue")),
                       headers, body)
            return True
        if self.way == "garbage":
            self.writer.write(choose((b"\0" * 5000, b"HTTP/1.1 200 OK\r\n\r\n", b"RTSP/1.0 200\r\n", b"\r\n" * 5000,
                                      self.camera.random.randbytes(3000))))
        if self.way == "endless":
            self.writer.write(b"RTSP/1.0 200 OK\r\n")
            while True:
                self.writer.write(b"X: y\r\n" * 100)
                await self.writer.drain()
                await asyncio.sleep(0)
        if self.way == "redirect":
            self.reply("302 Found", headers | {"Location": url + "x"}, "")
            return True
        if self.way == "late":
            await asyncio.sleep(choose((0.5, 1.999, 2.0, 2.001, 9.999, 10.0, 10.001)))
        self.reply("200 OK", headers, body)
        return True

    async def flood(self, rate):
        """Requests of its own, so many a second."""
        sequence = 0
        while True:
            for _ in range(max(1, rate // 800)):
                sequence += 1
                self.writer.write(f"OPTIONS * RTSP/1.0\r\nCSeq: {sequence}\r\n\r\n".encode())
            if self.writer.transport.get_write_buffer_size() > 1 << 20:
                return
            await asyncio.sleep(1 / 800)


async def main():
    options = argparse.ArgumentParser()
    options.add_argument("address")
    options.add_argument("tcp_port", type=int)
    options.add_argument("--silent", type=int)
    options.add_argument("--hostile", action="store_true")
    options.add_argument("--seed", type=int, default=1)
    options = options.parse_args()
    camera = Camera(options)
    await asyncio.start_server(camera.serve, options.address, options.tcp_port, limit=1 << 20, backlog=1024)
    if options.silent:
        await asyncio.start_server(camera.ignore, options.address, options.silent, backlog=1024)
    print("ready", flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    pace = asyncio.ensure_future(camera.pace())
    await ended.wait()
    pace.cancel()
    print(json.dumps(dict(sorted(camera.met.items()))), flush=True)


asyncio.run(main())

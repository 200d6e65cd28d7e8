"""The words that scenarios for SIPp are made of: a Scenario is written step by step, and printed as SIPp's XML.

A step of a caller or a callee is one message, sent or awaited. What both know of the call by then (the peer's tag and Contact, the
route, which INVITE an ACK or a CANCEL belongs to) the Scenario fills in.
"""
from xml.sax.saxutils import quoteattr

# Where the peer's media is, and whether it takes any, as its SDP says.
PLACE_ACTIONS = """<action>
      <ereg regexp="c=IN IP[46] ([0-9a-fA-F.:]+)" search_in="body" check_it="true" assign_to="unused,address"/>
      <ereg regexp="m=audio ([0-9]+)" search_in="body" check_it="true" assign_to="unused,port"/>
      <ereg regexp="a=(sendrecv|sendonly|recvonly|inactive)" search_in="body" assign_to="unused,direction"/>
    </action>"""

# The same, told to the media of this side as a command.
MEDIA_ACTIONS = PLACE_ACTIONS.replace(
    "</action>",
    """  <exec command="echo 'remote {endpoint} [$address] [$port] [$direction]' >>[commands]"/>
    </action>""")

# What an answer needs that is sent when other messages have come since.
KEEP_ACTIONS = """<action>
      <ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
      <ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>
      <ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
      <ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>
      <exec command="echo '[call_id]' >>[calls]"/>{more}
    </action>"""


def sdp(direction="sendrecv", port="[rtp]", version=1, address="[media_ip]", payload="0 101", medium="", session=""):
    """A description of G.711 and telephone events; `medium` and `session` are further lines."""
    lines = [
        "v=0", f"o=sipp 77 {version} IN IP[media_ip_type] [media_ip]", "s=-",
        f"c=IN IP{'4' if address == '0.0.0.0' else '[media_ip_type]'} {address}", "t=0 0",
    ]
    lines += session.splitlines()
    lines += [f"m=audio {port} RTP/AVP {payload}"]
    if "0" in payload.split():
        lines.append("a=rtpmap:0 PCMU/8000")
    if "101" in payload.split():
        lines += ["a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16"]
    lines += medium.splitlines()
    if direction:
        lines.append(f"a={direction}")
    return "\n".join(lines)


class Scenario:
    def __init__(self, name):
        self.name = name
        self.steps = []
        self.variables = set()

    def add(self, xml):
        self.steps.append(xml)
        return len(self.steps) - 1

    def send(self, lines, body="", attributes=""):
        lines = [line for line in lines if line]
        if body and not any(line.startswith("Content-Type:") for line in lines):
            lines.append("Content-Type: application/sdp")
        lines += ["Content-Length: [len]", "", *body.splitlines()]
        text = "\n".join(f"      {line}".rstrip() for line in lines)
        return self.add(f"  <send{attributes}>\n    <![CDATA[\n\n{text}\n\n    ]]>\n  </send>")

    def receive(self, kind, what, optional=False, actions="", attributes=""):
        if "address" in actions:
            self.variables |= {"unused", "address", "port", "direction"}
        optional = ' optional="true"' if optional else ""
        # The peer's Contact and the route: what a message tells that has them.
        routes = "" if what in ("INFO", "ACK", "BYE", "CANCEL", 100) else ' rrs="true"'
        head = f"  <recv {kind}={quoteattr(str(what))}{optional}{routes}{attributes}"
        return self.add(f"{head}>\n    {actions}\n  </recv>" if actions else f"{head}/>")

    def keep(self, method, media="", attributes="", more=""):
        """Receives a request, and keeps what its answer needs."""
        lines = MEDIA_ACTIONS.format(endpoint=media).splitlines()[1:-1] if media else []
        self.variables |= {"from", "to", "via", "cseq"}
        more = "".join(f"\n{line}" for line in [*lines, *([more] if more else [])])
        self.receive("request", method, actions=KEEP_ACTIONS.format(more=more), attributes=attributes)

    def pause(self, milliseconds):
        self.add(f'  <pause milliseconds="{milliseconds}"/>')

    def gate(self):
        """Waits until the test goes on: for an INFO that poke.py sends to this SIPp itself."""
        self.receive("request", "INFO")

    def linger(self, milliseconds):
        """Answers retransmissions for so long after the last step."""
        self.add(f'  <timewait milliseconds="{milliseconds}"/>')

    def xml(self):
        unused = sorted(self.variables)
        reference = f'  <Reference variables="{",".join(unused)}"/>\n' if unused else ""
        return (
            '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
            f"<scenario name={quoteattr(self.name)}>\n" + "\n".join(self.steps) + f"\n{reference}</scenario>\n")


class Caller(Scenario):
    """Calls [service] at the remote address."""

    invite_step = None
    invite_sequence = 1

    def request(self, method, sequence, headers=(), body="", in_dialog=True, branch="[branch]", uri=None, repeats=True):
        target = uri or ("[next_url]" if in_dialog else "sip:[service]@[remote_ip]:[remote_port]")
        return self.send(
            [
                f"{method} {target} SIP/2.0", f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch};rport",
                "From: \"Caller\" <sip:caller@[local_ip]:[local_port]>;tag=c[pid]-[call_number]",
                "To: <sip:[service]@[remote_ip]:[remote_port]>" + ("[peer_tag_param]" if in_dialog else ""),
                "Call-ID: [call_id]", f"CSeq: {sequence} {method}",
                # A MESSAGE outside of dialogs has none (RFC 3428 section 4).
                "" if method == "MESSAGE" else "Contact: <sip:caller@[local_ip]:[local_port];transport=[transport]>",
                "Max-Forwards: 70", "[routes]" if in_dialog else "", *headers,
            ],
            body, ' retrans="500"' if repeats and method != "ACK" else "")

    def invite(self, body=None, sequence=1, headers=(), in_dialog=False):
        self.invite_sequence = sequence
        self.invite_step = self.request(
            "INVITE", sequence, headers, sdp() if body is None else body, in_dialog=in_dialog)

    def expect(self, status, media="", optional=False, attributes="", more="", actions=""):
        actions = MEDIA_ACTIONS.format(endpoint=media) if media else actions
        if more:
            actions = actions.replace("</action>", f"  {more.strip()}\n    </action>")
        self.receive("response", status, optional, actions, attributes)

    def progress(self):
        """What may come before a final response."""
        self.expect(100, optional=True)
        self.expect(180, optional=True)

    def acknowledge(self, body=""):
        self.request("ACK", self.invite_sequence, body=body)

    def acknowledge_failure(self, in_dialog=False):
        """The ACK of anything but a 2xx belongs to the INVITE's transaction."""
        branch = f"[branch-{len(self.steps) - self.invite_step}]"
        uri = None if in_dialog else "sip:[service]@[remote_ip]:[remote_port]"
        self.request("ACK", self.invite_sequence, branch=branch, uri=uri)

    def cancel(self):
        branch = f"[branch-{len(self.steps) - self.invite_step}]"
        self.request("CANCEL", self.invite_sequence, in_dialog=False, branch=branch)

    def answer(self, status, reason, body="", headers=(), to_invite=False):
        """Answers the request that came last, or the one that `invited` took although others came since."""
        which = ["[last_Via:]", "[last_From:]", "[last_To:]", "[last_CSeq:]"]
        if to_invite:
            which = ["Via:[$via]", "From:[$from]", "To:[$to]", "CSeq:[$cseq]"]
        self.send(
            [
                f"SIP/2.0 {status} {reason}", *which, "[last_Call-ID:]",
                "Contact: <sip:caller@[local_ip]:[local_port];transport=[transport]>", *headers,
            ],
            body, ' retrans="500"' if to_invite else "")

    def invited(self, media=""):
        """A re-INVITE comes, and is answered later."""
        self.keep("INVITE", media)

    def request_comes(self, method, media="", optional=False):
        actions = MEDIA_ACTIONS.format(endpoint=media) if media else ""
        self.receive("request", method, optional, actions)

    def hang_up(self, sequence=2):
        self.request("BYE", sequence)
        self.expect(200)

    def is_hung_up(self):
        self.request_comes("BYE")
        self.answer(200, "OK")


class Callee(Scenario):
    """Takes a call."""

    def invited(self, media="", attributes="", more=""):
        self.keep("INVITE", media, attributes, more)

    def request_comes(self, method, media="", optional=False, attributes=""):
        actions = MEDIA_ACTIONS.format(endpoint=media) if media else ""
        self.receive("request", method, optional, actions, attributes)

    def answer(self, status, reason, body="", tagged=True, to_invite=False, headers=(), repeats=None, attributes=""):
        """Answers the request that came last, or the INVITE although another came since."""
        tag = ";tag=e[pid]-[call_number]" if tagged else ""
        which = ["[last_Via:]", "[last_From:]", f"[last_To:]{tag}", "[last_Call-ID:]", "[last_CSeq:]"]
        if to_invite:
            which = ["Via:[$via]", "From:[$from]", f"To:[$to]{tag}", "[last_Call-ID:]", "CSeq:[$cseq]"]
        # A final response to an INVITE is repeated until its ACK comes.
        repeats = status >= 200 and to_invite if repeats is None else repeats
        self.send(
            [
                f"SIP/2.0 {status} {reason}", *which, "[last_Record-Route:]",
                "Contact: <sip:callee@[local_ip]:[local_port];transport=[transport]>", *headers,
            ],
            body, (' retrans="500"' if repeats else "") + attributes)

    def take(self, body=None, media=""):
        """Rings, and takes the call."""
        self.invited(media)
        self.answer(180, "Ringing")
        self.answer(200, "OK", sdp() if body is None else body, repeats=True)
        self.request_comes("ACK")

    def request(self, method, sequence, headers=(), body="", branch="[branch]"):
        return self.send(
            [
                f"{method} [next_url] SIP/2.0", f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch};rport",
                "From:[$to];tag=e[pid]-[call_number]", "To:[$from]", "[last_Call-ID:]", f"CSeq: {sequence} {method}",
                "Contact: <sip:callee@[local_ip]:[local_port];transport=[transport]>", "Max-Forwards: 70", "[routes]",
                *headers,
            ],
            body, "" if method == "ACK" else ' retrans="500"')

    def invite(self, body, sequence):
        self.request("INVITE", sequence, body=body)

    def expect(self, status, media="", optional=False):
        actions = MEDIA_ACTIONS.format(endpoint=media) if media else ""
        self.receive("response", status, optional, actions)

    def acknowledge(self, sequence):
        self.request("ACK", sequence)

    def is_hung_up(self):
        self.request_comes("BYE")
        self.answer(200, "OK", tagged=False)

    def hang_up(self, sequence=1):
        self.request("BYE", sequence)
        self.expect(200)

"""The calls of scripts/tests/sip-interop.sh, for SIPp.

    scenarios.py DIRECTORY        writes NAME-caller.xml and NAME-callee.xml of every call there
"""
import os
import sys

from sipp import PLACE_ACTIONS, Callee, Caller, sdp

CALLS = {}


def call(function):
    """Registers a function that writes a call's two sides."""
    name = function.__name__.replace("_", "-")

    def written():
        caller, callee = Caller(name), Callee(name)
        function(caller, callee)
        return caller, callee

    CALLS[name] = written
    return function


@call
def basic(caller, callee):
    """A call with media both ways, which the caller ends."""
    caller.invite()
    caller.progress()
    caller.expect(200, media="caller")
    caller.acknowledge()
    caller.gate()
    caller.hang_up()
    callee.take(media="callee")
    callee.is_hung_up()


@call
def echo(caller, callee):
    """A call whose callee sends back what it gets: SIPp itself, on its UDP port for media."""
    basic(caller, Callee("unused"))
    callee.take(sdp(port="[media_port]"))
    callee.is_hung_up()


@call
def paced(caller, callee):
    """The same without a gate, where SIPp has no UDP port of its own that the test could knock at."""
    caller.invite()
    caller.progress()
    caller.expect(200, media="caller")
    caller.acknowledge()
    caller.pause(2500)
    caller.hang_up()
    callee.take(media="callee")
    callee.is_hung_up()


@call
def callee_ends(caller, callee):
    """A call whose callee hangs up."""
    caller.invite()
    caller.progress()
    caller.expect(200, media="caller")
    caller.acknowledge()
    caller.is_hung_up()
    callee.take(media="callee")
    callee.gate()
    callee.hang_up()


@call
def held(caller, callee):
    """The caller holds the call in every way that there is, and resumes it; then the callee does."""
    caller.invite()
    caller.progress()
    caller.expect(200, media="caller")
    caller.acknowledge()
    for number, (direction, address) in enumerate(
            (("sendonly", "[local_ip]"), ("sendrecv", "[local_ip]"), ("inactive", "[local_ip]"), ("sendrecv", "[local_ip]"),
             ("", "0.0.0.0"), ("sendrecv", "[local_ip]")), 2):
        caller.gate()
        caller.invite(sdp(direction, version=number, address=address), number, in_dialog=True)
        caller.expect(100, optional=True)
        caller.expect(200, media="caller")
        caller.acknowledge()
    for direction in ("recvonly", "sendrecv"):
        caller.request_comes("INVITE", media="caller")
        caller.answer(200, "OK", sdp(direction, version=8 if direction == "recvonly" else 9))
        caller.request_comes("ACK")
    caller.gate()
    caller.hang_up(8)

    callee.take(media="callee")
    for direction in ("recvonly", "sendrecv", "inactive", "sendrecv", "recvonly", "sendrecv"):
        callee.request_comes("INVITE", media="callee")
        callee.answer(200, "OK", sdp(direction, version=2), tagged=False, repeats=True)
        callee.request_comes("ACK")
    for number, direction in enumerate(("sendonly", "sendrecv"), 1):
        callee.gate()
        callee.invite(sdp(direction, version=10 + number), number)
        callee.expect(100, optional=True)
        callee.expect(200, media="callee")
        callee.acknowledge(number)
    callee.is_hung_up()


@call
def port_change(caller, callee):
    """The caller, then the callee, moves its media to another UDP port."""
    caller.invite()
    caller.progress()
    caller.expect(200, media="caller")
    caller.acknowledge()
    caller.gate()
    caller.invite(sdp(port="[rtp2]", version=2), 2, in_dialog=True)
    caller.expect(100, optional=True)
    caller.expect(200, media="moved")
    caller.acknowledge()
    caller.request_comes("INVITE", media="moved")
    caller.answer(200, "OK", sdp(port="[rtp2]", version=2))
    caller.request_comes("ACK")
    caller.gate()
    caller.hang_up(3)

    callee.take(media="callee")
    callee.request_comes("INVITE", media="callee")
    callee.answer(200, "OK", sdp(), tagged=False, repeats=True)
    callee.request_comes("ACK")
    callee.gate()
    callee.invite(sdp(port="[rtp2]", version=2), 1)
    callee.expect(100, optional=True)
    callee.expect(200, media="moved")
    callee.acknowledge(1)
    callee.is_hung_up()


@call
def cancel_early(caller, callee):
    """The caller gives up before anybody rings."""
    caller.invite()
    caller.expect(100)
    caller.gate()
    caller.cancel()
    caller.expect(200)
    caller.expect(487)
    caller.acknowledge_failure()
    # The other side has at most been asked, and hears of the end.
    callee.invited()
    callee.answer(100, "Trying", tagged=False)
    callee.request_comes("CANCEL")
    callee.answer(200, "OK")
    callee.answer(487, "Request Terminated", to_invite=True)
    callee.request_comes("ACK")


@call
def cancel_ringing(caller, callee):
    """The caller gives up while it rings."""
    caller.invite()
    caller.expect(100, optional=True)
    caller.expect(180)
    caller.gate()
    caller.cancel()
    caller.expect(200)
    caller.expect(487)
    caller.acknowledge_failure()
    callee.invited()
    callee.answer(180, "Ringing")
    callee.request_comes("CANCEL")
    callee.answer(200, "OK")
    callee.answer(487, "Request Terminated", to_invite=True)
    callee.request_comes("ACK")


@call
def cancel_crosses(caller, callee):
    """The callee takes the call before the CANCEL reaches it: the call is ended with BYE, and the caller knows nothing of it."""
    caller.invite()
    caller.expect(100, optional=True)
    caller.expect(180)
    caller.gate()
    caller.cancel()
    caller.expect(200)
    caller.expect(487)
    caller.acknowledge_failure()
    callee.invited()
    callee.answer(180, "Ringing")
    callee.request_comes("CANCEL")
    # The response that brings the ACK is the last: SIPp takes no message while it still has one to send.
    callee.answer(481, "Call/Transaction Does Not Exist")
    callee.answer(200, "OK", sdp(), to_invite=True, repeats=False)
    callee.request_comes("ACK")
    callee.is_hung_up()


@call
def early_media(caller, callee):
    """Media flows before the call is taken, and on from there."""
    caller.invite()
    caller.expect(100, optional=True)
    caller.expect(183, media="caller")
    caller.expect(200, media="caller")
    caller.acknowledge()
    caller.gate()
    caller.hang_up()
    callee.invited(media="callee")
    callee.answer(183, "Session Progress", sdp())
    callee.gate()
    callee.answer(200, "OK", sdp(), to_invite=True)
    callee.request_comes("ACK")
    callee.is_hung_up()


@call
def reliable(caller, callee):
    """Early media in a reliable provisional response, acknowledged with PRACK, and an UPDATE before the call is taken."""
    caller.invite(headers=("Supported: 100rel", "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE"))
    caller.expect(100, optional=True)
    caller.expect(
        183, media="caller",
        more='      <ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" check_it="true" assign_to="rseq"/>')
    caller.variables.add("rseq")
    caller.request("PRACK", 2, headers=("RAck: [$rseq] 1 INVITE",))
    caller.expect(200)
    # The answer was in the reliable response.
    caller.expect(200)
    caller.acknowledge()
    caller.gate()
    caller.hang_up(3)
    callee.invited(media="callee")
    callee.answer(183, "Session Progress", sdp(), headers=("Require: 100rel", "RSeq: 7"))
    callee.request_comes("PRACK")
    callee.answer(200, "OK", tagged=False)
    callee.gate()
    callee.answer(200, "OK", to_invite=True)
    callee.request_comes("ACK")
    callee.is_hung_up()


@call
def late_offer(caller, callee):
    """The offer is in the 200, the answer in the ACK."""
    caller.invite("")
    caller.progress()
    caller.expect(200, media="caller")
    caller.acknowledge(sdp())
    caller.gate()
    caller.hang_up()
    callee.invited()
    callee.answer(180, "Ringing")
    callee.answer(200, "OK", sdp(), repeats=True)
    callee.request_comes("ACK", media="callee")
    callee.is_hung_up()


@call
def challenged(caller, callee):
    """The node asks for credentials, and gets them."""
    caller.invite()
    caller.expect(407, attributes=' auth="true"')
    caller.acknowledge_failure()
    caller.invite(sequence=2, headers=("[authentication username=alice password=secret]",))
    caller.progress()
    caller.expect(200, media="caller")
    caller.acknowledge()
    caller.gate()
    caller.hang_up(3)
    callee.take(media="callee")
    callee.is_hung_up()


@call
def challenges(caller, callee):
    """The callee asks for credentials, which the node has, and checks them (SIPp does so for 401 alone)."""
    caller.invite()
    caller.progress()
    caller.expect(200, media="caller")
    caller.acknowledge()
    caller.gate()
    caller.hang_up()
    callee.invited()
    callee.answer(
        401, "Unauthorized", repeats=True,
        headers=('WWW-Authenticate: Digest realm="studio", nonce="6a31", algorithm=MD5, qop="auth"',))
    callee.request_comes("ACK")
    callee.invited(
        media="callee", attributes=' test="authentic" next="1"',
        more='      <verifyauth assign_to="authentic" username="node" password="secret"/>')
    callee.variables.add("authentic")
    callee.answer(403, "Forbidden", repeats=True)
    callee.add('  <label id="1"/>')
    callee.answer(200, "OK", sdp(), repeats=True)
    callee.request_comes("ACK")
    callee.is_hung_up()


@call
def busy(caller, callee):
    """The callee is busy."""
    caller.invite()
    caller.expect(100, optional=True)
    caller.expect(486)
    caller.acknowledge_failure()
    callee.invited()
    callee.answer(486, "Busy Here", repeats=True)
    callee.request_comes("ACK")


@call
def lossy(caller, callee):
    """Every message may be lost; both sides wait for what others repeat."""
    basic(caller, callee)
    caller.linger(6000)
    callee.linger(6000)


@call
def no_ack(caller, callee):
    """The caller never acknowledges: after 32 s both sides are told that the call is over."""
    caller.invite()
    caller.progress()
    caller.expect(200)
    caller.is_hung_up()
    callee.take()
    callee.is_hung_up()


@call
def glare(caller, callee):
    """Both sides change the call at once: who is told that a request is pending tries again."""
    caller.invite()
    caller.progress()
    caller.expect(200, media="caller")
    caller.acknowledge()
    # The callee's re-INVITE comes through the node, which waits for its answer: it takes none of this side's meanwhile.
    caller.invited(media="caller")
    caller.invite(sdp(version=2), 2, in_dialog=True)
    caller.expect(100, optional=True)
    caller.expect(491)
    caller.acknowledge_failure(in_dialog=True)
    caller.answer(200, "OK", sdp(version=2), to_invite=True)
    caller.request_comes("ACK")
    caller.invite(sdp(version=3), 3, in_dialog=True)
    caller.expect(100, optional=True)
    caller.expect(200, media="caller")
    caller.acknowledge()
    caller.gate()
    caller.hang_up(4)
    callee.take(media="callee")
    callee.gate()
    callee.invite(sdp(version=2), 1)
    callee.expect(100, optional=True)
    callee.expect(200, media="callee")
    callee.acknowledge(1)
    callee.request_comes("INVITE", media="callee")
    callee.answer(200, "OK", sdp(version=3), tagged=False, repeats=True)
    callee.request_comes("ACK")
    callee.is_hung_up()


@call
def forbidden(caller, callee):
    """A call that a proxy behind the node does not let in, whatever the node answers to its challenge."""
    caller.invite()
    caller.expect(100, optional=True)
    caller.expect(403)
    caller.acknowledge_failure()
    callee.take()


@call
def unavailable(caller, callee):
    """The side of a callee that takes no calls now, so that the next one is to be called."""
    basic(caller, Callee("unused"))
    callee.invited()
    callee.answer(503, "Service Unavailable", repeats=True)
    callee.request_comes("ACK")


@call
def refused_change(caller, callee):
    """The callee does not take a change, and the call goes on as it was."""
    caller.invite()
    caller.progress()
    caller.expect(200, media="caller")
    caller.acknowledge()
    caller.gate()
    caller.invite(sdp("inactive", port="[rtp2]", version=2), 2, in_dialog=True)
    caller.expect(100, optional=True)
    caller.expect(488)
    caller.acknowledge_failure(in_dialog=True)
    caller.gate()
    caller.hang_up(3)
    callee.take(media="callee")
    callee.invited()
    callee.answer(488, "Not Acceptable Here", tagged=False, repeats=True)
    callee.request_comes("ACK")
    callee.is_hung_up()


@call
def message(caller, callee):
    """A MESSAGE outside of calls (RFC 3428); who gets it looks whether it is one, and what it says."""
    caller.request(
        "MESSAGE", 1, headers=("Content-Type: text/plain", "Subject: cue"), body="On air in ten seconds", in_dialog=False)
    caller.expect(202)
    callee.variables |= {"unused", "contact"}
    callee.receive("request", "MESSAGE", actions="""<action>
      <ereg regexp="^On air in ten seconds" search_in="body" check_it="true" assign_to="unused"/>
      <ereg regexp="text/plain" search_in="hdr" header="Content-Type:" check_it="true" assign_to="unused"/>
      <ereg regexp="cue" search_in="hdr" header="Subject:" check_it="true" assign_to="unused"/>
      <ereg regexp="sip:" search_in="hdr" header="Contact:" check_it_inverse="true" assign_to="contact"/>
    </action>""")
    callee.answer(202, "Accepted")


@call
def message_registered(caller, callee):
    """A MESSAGE for a device that another program is."""
    caller.request("MESSAGE", 1, headers=("Content-Type: text/plain",), body="Stand by, desk", in_dialog=False)
    caller.expect(200)
    callee.request_comes("MESSAGE")


@call
def restarted(caller, callee):
    """A call that outlives the node's daemon: then held and resumed by the caller, changed by the callee, and ended."""
    caller.invite()
    caller.progress()
    caller.expect(200, media="caller")
    caller.acknowledge()
    for number, direction in enumerate(("sendonly", "sendrecv"), 2):
        caller.gate()
        caller.invite(sdp(direction, version=number), number, in_dialog=True)
        caller.expect(100, optional=True)
        caller.expect(200, media="caller")
        caller.acknowledge()
    caller.request_comes("INVITE", media="caller")
    caller.answer(200, "OK", sdp(version=3))
    caller.request_comes("ACK")
    caller.gate()
    caller.hang_up(4)
    callee.take(media="callee")
    for direction in ("recvonly", "sendrecv"):
        callee.request_comes("INVITE", media="callee")
        callee.answer(200, "OK", sdp(direction, version=2), tagged=False, repeats=True)
        callee.request_comes("ACK")
    callee.gate()
    callee.invite(sdp(port="[rtp2]", version=3), 1)
    callee.expect(100, optional=True)
    callee.expect(200, media="moved")
    callee.acknowledge(1)
    callee.is_hung_up()


def measured(caller, callee, places, caller_actions, callee_actions):
    """A call as scripts/bench sip makes thousands of."""
    caller.invite(sdp(**places))
    caller.progress()
    caller.expect(200, actions=caller_actions)
    caller.acknowledge()
    if places:
        caller.gate()
    caller.hang_up()
    callee.receive("request", "INVITE", actions=callee_actions)
    callee.answer(180, "Ringing")
    callee.answer(200, "OK", sdp(**places), repeats=True)
    callee.request_comes("ACK")
    callee.is_hung_up()


@call
def measured_quick(caller, callee):
    """A call that ends as soon as it stands."""
    measured(caller, callee, {}, "", "")


@call
def measured_held(caller, callee):
    """A call that is held, and tells its UDP port and where its media goes."""
    measured(
        caller, callee, {"port": "[field0]"},
        *(PLACE_ACTIONS.replace(
            "</action>", f'  <log message="{side} [media_ip] [field0] [$address] [$port]"/>\n    </action>')
          for side in ("caller", "callee")))


def main():
    directory = sys.argv[1]
    for name, written in CALLS.items():
        for side, scenario in zip(("caller", "callee"), written()):
            with open(os.path.join(directory, f"{name}-{side}.xml"), "w", encoding="latin-1") as file:
                file.write(scenario.xml())


main()

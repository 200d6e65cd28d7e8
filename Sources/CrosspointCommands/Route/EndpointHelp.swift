// The part of `--help` that says how endpoints are written.

/// Texts about endpoints that several commands print.
enum EndpointHelp {
    static let source = """
        FROM is ADDRESS:UDPPORT@INTERFACE[.VLAN[.VLAN]][,KEY=VALUE...]: the destination address and UDP port that the \
        packets carry, and the port that they arrive at. @eth0.100 means VLAN 100 on eth0. Keys:
          source=ADDRESS         only packets from this sender; joins source-specifically
          source-port=UDPPORT    only packets from this UDP port
          join=on|off            whether the node joins the group, or reserves the UDP port (on)
          srtp=KEY[/FLOW]        decrypts with a key of 'crosspoint key'; FLOW names the flow of a link
        """

    static let leg = """
        TO is ADDRESS:UDPPORT@INTERFACE[.VLAN[.VLAN]][,KEY=VALUE...]: where a copy is sent, and the port that it leaves \
        through. Keys:
          ttl=decrement|keep|N   the TTL or hop limit (decrement)
          dscp=keep|0..63|NAME   the DSCP, a number or a name such as AF41, EF, CS0 (keep)
          source=interface|keep|ADDRESS
                                 the source address (interface: the egress port's own)
          source-port=keep|UDPPORT
                                 the source UDP port (keep)
          mac=MAC                the destination MAC address (the next hop's, resolved)
          pt=0..127              the RTP payload type (as it came)
          ssrc=N|0xN             the SSRC (as it came)
          sequence-offset=N      added to each sequence number
          timestamp-offset=N     added to each timestamp
          packets=all|rtp|rtcp   which packets, where RTCP shares RTP's UDP port (all)
          srtp=KEY[/FLOW]        encrypts with a key of 'crosspoint key'; FLOW names the flow of a link
        """
}

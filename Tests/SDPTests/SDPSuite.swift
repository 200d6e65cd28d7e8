// Tests of SDP.

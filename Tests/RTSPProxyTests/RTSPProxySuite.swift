// Tests of RTSPProxy.

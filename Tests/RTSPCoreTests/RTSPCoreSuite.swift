// Tests of RTSPCore.
